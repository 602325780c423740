#pragma once

#include <cstdint>
#include <vector>

#include "fettle/training/data/dataset.h"

namespace fettle {

// A part of a dataset: only so many of its images, drawn by a seed; they stay in their order.
struct DataSample {
  int64_t most = 0;
  uint64_t seed = 1;
};

// Of so many images, those that are drawn, ascending; all where there are no more.
std::vector<int64_t> DrawnIndices(int64_t count, const DataSample& sample);

Dataset Sampled(const Dataset& dataset, const DataSample& sample);

}  // namespace fettle
