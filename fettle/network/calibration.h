#pragma once

#include <cstdint>
#include <map>
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
