#pragma once

#include "fettle/training/data/dataset.h"

namespace fettle {

// `count` random images of 4 classes, which differ in the quarter of the image that is brighter.
Dataset ToyDataset(int64_t count, const Shape& image, uint64_t seed);

}  // namespace fettle
