#pragma once

#include <optional>
#include <utility>

#include "fettle/core/layer_spec.h"

namespace fettle {

// What the grids of layers are put together from.

inline LayerSpec WithEpilogue(LayerSpec spec, bool residual, std::optional<Activation> activation) {
  spec.adds_residual = residual;
  if (residual) spec.inputs.push_back(spec.output);
  spec.activation = activation;
  return spec;
}

inline Window Square(int64_t kernel, int64_t stride, int64_t pad, int64_t dilation = 1) {
  return {{kernel, kernel}, {stride, stride}, {dilation, dilation}, {pad, pad}, {pad, pad}};
}

}  // namespace fettle
