#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

// Values of any type but f16: normal about 0 for floats, small integers otherwise.
Tensor RandomTensor(const TensorType& type, uint64_t seed);
std::vector<Tensor> RandomTensors(std::span<const TensorType> types, uint64_t seed);

// Something like photographs, normalised: f32 [n, channels, height, width] with large areas of one
// colour under a little noise. On mere noise the outputs of a random network hardly differ.
Tensor RandomImages(const Shape& shape, uint64_t seed);

// The largest difference from `want`, relative to its largest magnitude. Infinite where the types
// differ or one has a NaN or infinity that the other has not.
double RelativeError(const Tensor& got, const Tensor& want);

}  // namespace fettle
