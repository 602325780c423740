#pragma once

#include <cstddef>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/primitive.h"

// When a result counts as right: by how much it may differ from the reference's.

namespace fettle {

// The largest difference between two tensors of this type, row-major, relative to the largest
// magnitude in `expected`; 0 where they are equal, infinite where one has a NaN or an infinity and
// the other not the same. Integers differ by 0 or infinity.
double RelativeError(const TensorType& type, const std::byte* expected, const std::byte* actual);

// The largest RelativeError that still counts as right.
//   0      what only moves, casts or reorders elements, exactly as it says
//   1e-4   f32
//   1/64   where anything is bf16: two roundings of at most 2^-8 each, and that again for luck
//   1e-3 and 1/24 for implementations with "winograd" in their name, whose transforms cancel
double ToleranceOf(const LayerSpec& spec, const Implementation& implementation);

}  // namespace fettle
