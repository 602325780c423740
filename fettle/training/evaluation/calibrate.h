#pragma once

#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/network/graph.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// The values that weighted layers (convolutions and matrix products) read and compute, f32 with a
// channel axis, in the order of computation.
std::vector<ValueId> ValuesToCalibrate(const Graph& graph);

// Of these values, and of the patches of the convolutions that read them. Of each image up to 64
// positions, spread evenly, go into mean and covariance, the latter of vectors of at most 4608
// numbers (162 MiB each; ResNet-50's patches take 0.8 GiB together); of patches 16, or as many as
// make four samples a number. Throws Error
// (kBadInput) where the images do not fit, or a value is not finite (the value named).
Calibration Calibrate(const Graph& graph, const std::vector<ValueId>& values,
                      const Dataset& dataset, const PrimitiveList& primitives,
                      const Target& target);

}  // namespace fettle
