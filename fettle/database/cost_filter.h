#pragma once

#include <optional>
#include <string>

#include "fettle/core/dtype.h"
#include "fettle/core/measurement.h"

namespace fettle {

// Which records are meant: those that agree in every field that says something.
struct CostFilter {
  std::string device = {};  // its id
  std::optional<int> threads = {};
  std::optional<CacheMode> mode = {};
  std::string op = {};              // an operator's name: "conv"
  std::string layer = {};           // part of the layer key's text: "3x3", "in=f32[1x64x"
  std::optional<DType> dtype = {};  // of the layer's first input (of its output where it has none)
  std::string primitive = {};       // "onednn", "onednn.conv" or "onednn.conv:jit:avx2"
};

}  // namespace fettle
