#pragma once

#include <array>
#include <string>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// What a layer's cost is predicted from.
struct LayerFeatures {
  // Layers of one family differ in extents only: operator with kernel, strides and the kind of
  // grouping, element type, epilogue, implementation and layouts.
  std::string family;
  std::string primitive;  // a wider family: operator, element type, the implementation's primitive
  // Natural logarithms of channels in, channels out, spatial positions out and batch.
  std::array<double, 4> extents{};
  // Multiplications plus the elements that move through memory: what the time is divided by before
  // layers are compared.
  double work = 1;
};

LayerFeatures FeaturesOf(const LayerSpec& spec, const Implementation& implementation);

}  // namespace fettle
