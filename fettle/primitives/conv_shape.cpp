#include "fettle/primitives/conv_shape.h"

#include <cassert>
#include <limits>
#include <variant>

#include "fettle/core/error.h"

namespace fettle {
namespace {

Support TypesSupport(const LayerSpec& spec, const Conv& conv) {
  const size_t rank = spec.inputs[0].shape.size();
  const Shape& x = spec.inputs[0].shape;
  const Shape& w = spec.weights[0].shape;
  if (conv.groups < 1 || x[1] % conv.groups != 0 || w[0] % conv.groups != 0) {
    return Support::No(Text("groups=", conv.groups, " does not divide the channels"));
  }
  Shape filter = {w[0], x[1] / conv.groups};
  Shape output = {x[0], w[0]};
  for (size_t axis = 0; axis + 2 < rank; ++axis) {
    filter.push_back(conv.window.kernel[axis]);
    output.push_back(WindowOutput(conv.window, axis, x[axis + 2]));
  }
  if (w != filter) return Support::No(Text("weights ", ShapeText(w), " do not fit the input"));
  if (spec.output.shape != output) {
    return Support::No(
        Text("output ", ShapeText(spec.output.shape), " instead of ", ShapeText(output)));
  }
  if (spec.weights.size() == 2 && spec.weights[1].shape != Shape{w[0]}) {
    return Support::No(Text("bias ", ShapeText(spec.weights[1].shape), " does not fit"));
  }
  if (spec.adds_residual && spec.inputs[1] != spec.output) {
    return Support::No("residual of another type than the output's");
  }
  if (ElementCount(x) == 0 || ElementCount(w) == 0 || ElementCount(output) == 0) {
    return Support::No("empty tensor");
  }
  return Support::Yes();
}

bool IsPointwise(const WindowAxis& axis) {
  return axis.kernel == 1 && axis.stride == 1 && axis.pad_begin == 0 && axis.pad_end == 0;
}

}  // namespace

bool ConvShape::is_pointwise() const { return IsPointwise(plane.y) && IsPointwise(plane.x); }

Support WindowSupport(const Window& window, size_t axes) {
  constexpr int64_t kMost = std::numeric_limits<int32_t>::max();
  for (const auto* list :
       {&window.kernel, &window.strides, &window.dilations, &window.pads_begin, &window.pads_end}) {
    if (list->size() != axes) return Support::No("window of another rank than the input");
    const bool is_pad = list == &window.pads_begin || list == &window.pads_end;
    for (int64_t value : *list) {
      if (value < (is_pad ? 0 : 1) || value > kMost) {
        return Support::No(Text("window with ", value, " in it"));
      }
    }
  }
  return Support::Yes();
}

Support ConvShapeSupport(const LayerSpec& spec) {
  const auto* conv = std::get_if<Conv>(&spec.op);
  if (conv == nullptr) return Support::No(Text(NameOf(spec.op), " is no convolution"));
  if (spec.inputs.size() != (spec.adds_residual ? 2 : 1) || spec.weights.empty() ||
      spec.weights.size() > 2) {
    return Support::No("a convolution has one input, weights and perhaps a bias");
  }
  const size_t rank = spec.inputs[0].shape.size();
  if (rank != 3 && rank != 4) {
    return Support::No(Text("input of ", rank, " axes: only 3 and 4 are supported"));
  }
  if (spec.weights[0].shape.size() != rank) return Support::No("weights of another rank");
  if (Support support = WindowSupport(conv->window, rank - 2); !support) return support;
  return TypesSupport(spec, *conv);
}

ConvShape ConvShapeOf(const LayerSpec& spec) {
  assert(ConvShapeSupport(spec));
  const Conv& conv = std::get<Conv>(spec.op);
  ConvShape shape;
  shape.batch = spec.inputs[0].shape[0];
  shape.in_channels = spec.inputs[0].shape[1];
  shape.out_channels = spec.output.shape[1];
  shape.groups = conv.groups;
  shape.plane = PlaneOf(conv.window, spec.inputs[0].shape, spec.output.shape);
  return shape;
}

}  // namespace fettle
