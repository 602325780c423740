#pragma once

#include <optional>

#include "fettle/training/data/data_sample.h"
#include "fettle/training/data/data_spec.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// Reads a dataset's files: formats, splits and options are those of docs/data.md. Where the files
// have no validation split it is held out of the training files by a fixed seed, the same for
// everybody (data_splits.h). The images of a split stand in the files' order; of a sample no others
// are read.
//
// Throws an Error that names the file and the remedy where one is missing, damaged or hostile, and
// where the images would fill more than half of the memory that is left.
Dataset LoadDataset(const DataSpec& spec, const std::optional<DataSample>& sample = std::nullopt);

}  // namespace fettle
