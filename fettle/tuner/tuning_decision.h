#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/core/dtype.h"

namespace fettle {

// One thing that a session may change: the width of a group of coupled channels, the structure of a
// layer, or its precision. Option 0 leaves it as it is.
struct TuningDecision {
  enum class Kind : uint8_t { kWidth, kVariant, kPrecision };
  Kind kind = Kind::kWidth;
  std::string layer;                  // the group's name or the layer's
  std::vector<int64_t> kept;          // kWidth: units that stay, by option, descending
  std::vector<std::string> variants;  // kVariant: canonical names, by option; the first is empty
  std::vector<DType> precisions;      // kPrecision: by option
};

}  // namespace fettle
