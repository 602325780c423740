#pragma once

#include <cstdint>
#include <oneapi/dnnl/dnnl.hpp>
#include <string_view>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/layer_spec.h"
#include "fettle/core/layout.h"
#include "fettle/primitives/layer_view.h"

// Our words in oneDNN's, for the files named after it alone. (Its 2.x: 3.x has no Winograd for
// x86.)

namespace fettle {

dnnl::engine OnednnEngine();  // the processor; a new handle each time, cheap

dnnl::memory::data_type OnednnType(DType dtype);  // asserts IsFloat

// A tensor in one of our layouts. oneDNN pads the channels of blocked layouts as we do.
dnnl::memory::desc OnednnDesc(const TensorType& type, Layout layout);

// A tensor in the format that the implementation likes best; for weights.
dnnl::memory::desc OnednnAnyDesc(const TensorType& type);

// The layouts that a tensor of this shape can have, plain first.
std::vector<Layout> LayoutsOf(const Shape& shape);

// No where a type is other than f32 and bf16, a tensor is empty or has more than 6 axes.
Support OnednnTensorSupport(const LayerSpec& spec);

// The same, and that nothing is fused; for the operators that take no epilogue.
Support OnednnSupportWithoutEpilogue(const LayerSpec& spec);

// oneDNN's algorithm for an activation and its parameters. Two for hard sigmoid, one after another.
struct OnednnEltwise {
  dnnl::algorithm algorithm;
  float alpha = 0, beta = 0;
};
std::vector<OnednnEltwise> OnednnEltwiseOf(const Activation& activation);

// Scratch memory from the caller, nothing fused.
dnnl::primitive_attr OnednnAttributes();

// Appends the spec's activation, if it has one.
void AppendActivation(const LayerSpec& spec, dnnl::post_ops* operations);

// OnednnAttributes with the sum of what stands in the output (the residual) and the activation.
dnnl::primitive_attr OnednnEpilogue(const LayerSpec& spec);

// What oneDNN throws as an Error of kind kDevice that names the place.
template <typename Work>
auto CatchingOnednn(std::string_view place, const Work& work) {
  try {
    return work();
  } catch (const dnnl::error& fault) {
    throw Error(ErrorKind::kDevice, Text(place, ": oneDNN: ", fault.what(), " (status ",
                                         static_cast<int>(fault.status), ")"));
  }
}

}  // namespace fettle
