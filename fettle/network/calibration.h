#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "fettle/network/activation_histogram.h"

namespace fettle {

// Mean and covariance of vectors seen on calibration images.
struct Moments {
  int64_t samples = 0;
  std::vector<double> mean;
  std::vector<double> covariance;  // n x n, row-major; of the population: divided by samples. Empty
                                   // where n is too large for it

  size_t size() const { return mean.size(); }
};

// Of vectors that hold `per_channel` numbers a channel, channel by channel: those of these channels
// only, in this order.
Moments OfChannels(const Moments& moments, std::span<const int64_t> channels, size_t per_channel);

// What one activation tensor [N,C,...] looks like; its moments are of vectors of C channels.
struct ActivationStatistics : Moments {
  ActivationHistogram histogram;  // of every value: the range, and quantiles

  int64_t channels() const { return static_cast<int64_t>(mean.size()); }
};

// What variants (reconstruction, data-aware decompositions) and quantisation are handed; made once
// a session (training/evaluation/calibrate.h).
struct Calibration {
  std::map<std::string, ActivationStatistics> values;  // by the name of the value
  // By the name of a convolution without groups whose kernel is larger than 1x1: of the patches
  // that it multiplies with a row of its weights, in the order of that row (channel by channel, its
  // taps row by row), with the zeros of the padding.
  std::map<std::string, Moments> patches;
};

}  // namespace fettle
