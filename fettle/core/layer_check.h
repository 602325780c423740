#pragma once

#include <optional>
#include <string>

#include "fettle/core/layer_spec.h"

namespace fettle {

// What makes a spec impossible, in words, or nothing: for those that come from outside (plans, the
// worker's protocol, databases, the command line). Shapes must follow from the operator; element
// types must be all alike, or bf16 activations (and matrix) with f32 weights beside them; a
// residual must have the output's type. A kernel may assert what this promises.
std::optional<std::string> FaultOf(const LayerSpec& spec);

}  // namespace fettle
