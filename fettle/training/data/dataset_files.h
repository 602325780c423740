#pragma once

#include <optional>

#include "fettle/training/data/data_spec.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// Only so many of a split's images, drawn by a seed; they stay in their order.
struct DataSample {
  int64_t most = 0;
  uint64_t seed = 1;
};

// Reads a dataset's files: formats, splits and options are those of docs/data.md. Where the files
// have no validation split it is held out of the training files by a fixed seed, the same for
// everybody (data_splits.h). The images of a split stand in the files' order.
//
// Throws an Error that names the file and the remedy where one is missing, damaged or hostile, and
// where the images would fill more than half of the memory that is left.
Dataset LoadDataset(const DataSpec& spec, const std::optional<DataSample>& sample = std::nullopt);

}  // namespace fettle
