#pragma once

#include <memory>
#include <span>

#include "fettle/core/target.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// 1x1 convolutions in groups, of the plain layout: a group is a product of small matrices, and
// lanes are pixels, of which there are whole vectors where outputs of a group are a few too many or
// too few. Asserts ConvShape::is_pointwise. `by_dots`: in bf16 by AVX-512 BF16's dot products, for
// which a group has pairs of inputs.
std::unique_ptr<Kernel> MakeGroupedPointwise(const LayerSpec& spec, const Target& target,
                                             bool by_dots, std::span<const Tensor* const> weights);

}  // namespace fettle
