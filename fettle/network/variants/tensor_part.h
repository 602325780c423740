#pragma once

#include <cstdint>
#include <span>

#include "fettle/core/tensor.h"

namespace fettle {

// The tensor's slices with these indices on one axis, in this order.
Tensor TakeIndices(const Tensor& tensor, int axis, std::span<const int64_t> indices);

}  // namespace fettle
