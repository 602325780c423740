#pragma once

#include <map>
#include <string>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/training/data/dataset.h"
#include "fettle/training/evaluation/activation_histogram.h"

namespace fettle {

// What one activation tensor [N,C,...] looks like on calibration images.
struct ActivationStatistics {
  ActivationHistogram histogram;   // of every value: the range, and quantiles
  int64_t samples = 0;             // vectors of C channels that mean and covariance are of
  std::vector<double> mean;        // C
  std::vector<double> covariance;  // C x C, row-major; of the population: divided by samples

  int64_t channels() const { return static_cast<int64_t>(mean.size()); }
};

// By the name of the value. What variants (data-aware decompositions, reconstruction) and
// quantisation are handed; made once a session.
using Calibration = std::map<std::string, ActivationStatistics>;

// The values that weighted layers (convolutions and matrix products) read and compute, f32 with a
// channel axis, in the order of computation.
std::vector<ValueId> ValuesToCalibrate(const Graph& graph);

// Of these values. Of each image up to 64 positions, spread evenly, go into mean and covariance.
// Throws Error (kBadInput) where the images do not fit, or a value is not finite (the value named).
Calibration Calibrate(const Graph& graph, const std::vector<ValueId>& values,
                      const Dataset& dataset, const PrimitiveList& primitives,
                      const Target& target);

}  // namespace fettle
