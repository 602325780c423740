#pragma once

#include <optional>
#include <string>

#include "fettle/runtime/plan.h"

namespace fettle {

// What makes a plan unsound, in words, or nothing: indices out of range, tensors read before they
// are computed or computed twice, types and layouts that do not fit the steps, impossible specs.
std::optional<std::string> FaultOf(const Plan& plan);

}  // namespace fettle
