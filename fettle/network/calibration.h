#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fettle/network/activation_histogram.h"

namespace fettle {

// What one activation tensor [N,C,...] looks like on calibration images.
struct ActivationStatistics {
  ActivationHistogram histogram;   // of every value: the range, and quantiles
  int64_t samples = 0;             // vectors of C channels that mean and covariance are of
  std::vector<double> mean;        // C
  std::vector<double> covariance;  // C x C, row-major; of the population: divided by samples. Empty
                                   // where there are too many channels for it

  int64_t channels() const { return static_cast<int64_t>(mean.size()); }
};

// By the name of the value. What variants (reconstruction, data-aware decompositions) and
// quantisation are handed; made once a session (training/evaluation/calibrate.h).
using Calibration = std::map<std::string, ActivationStatistics>;

}  // namespace fettle
