#pragma once

#include <cstdint>
#include <vector>

#include "fettle/training/data/data_spec.h"

namespace fettle {

// Which images are held out for validation, by a fixed seed that is the same for everybody: a tenth
// of each class, but at most 500 images of it. Without labels (empty) all are of one class.
std::vector<bool> HeldOutForValidation(const std::vector<int32_t>& labels, int64_t num_images,
                                       int64_t num_classes);

// The split of each image, for data that come in one piece: a tenth of each class for the test, a
// tenth of each, at most 500, of what is left for validation.
std::vector<DataSplit> SplitOfEach(const std::vector<int32_t>& labels, int64_t num_images,
                                   int64_t num_classes);

}  // namespace fettle
