#pragma once

#include <span>
#include <vector>

#include "fettle/core/op.h"

namespace fettle {

// The types of an operator's outputs, from its inputs' types in the order that op.h states; what is
// optional stands last and is left out. Throws an Error of kind kBadInput, whose message names the
// fault but not the node, where the operator cannot take these inputs: a wrong count, wrong ranks,
// extents or element types, attributes that do not fit them, a window larger than the padded input,
// a result of more than 2^40 elements.
std::vector<TensorType> InferTypes(const Op& op, std::span<const TensorType> inputs);

}  // namespace fettle
