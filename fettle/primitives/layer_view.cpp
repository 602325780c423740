#include "fettle/primitives/layer_view.h"

#include <cassert>
#include <type_traits>
#include <variant>

#include "fettle/core/error.h"

namespace fettle {
namespace {

WindowAxis AxisOf(const Window& window, size_t axis, const Shape& input, const Shape& output) {
  return {window.kernel[axis],     window.strides[axis],  window.dilations[axis],
          window.pads_begin[axis], window.pads_end[axis], input[axis + 2],
          output[axis + 2]};
}

}  // namespace

std::vector<TensorType> OperandTypes(const LayerSpec& spec) {
  std::vector<TensorType> types(
      spec.inputs.begin(), spec.inputs.begin() + static_cast<ptrdiff_t>(NumOperatorInputs(spec)));
  types.insert(types.end(), spec.weights.begin(), spec.weights.end());
  return types;
}

bool OnlyMoves(const Op& op) {
  return std::visit(
      [](const auto& alternative) {
        using T = std::remove_cvref_t<decltype(alternative)>;
        return std::is_same_v<T, Concat> || std::is_same_v<T, Slice> ||
               std::is_same_v<T, Reshape> || std::is_same_v<T, Transpose> ||
               std::is_same_v<T, Pad> || std::is_same_v<T, Identity>;
      },
      op);
}

Support RequireFloat(const LayerSpec& spec) {
  for (const auto* types : {&spec.inputs, &spec.weights}) {
    for (const TensorType& type : *types) {
      if (!IsFloat(type.dtype)) return Support::No(Text(TypeText(type), ": only f32 and bf16"));
    }
  }
  if (IsFloat(spec.output.dtype)) return Support::Yes();
  return Support::No(Text("output ", TypeText(spec.output), ": only f32 and bf16"));
}

WindowPlane PlaneOf(const Window& window, const Shape& input, const Shape& output) {
  const size_t axes = window.kernel.size();
  assert((axes == 1 || axes == 2) && input.size() == axes + 2 && output.size() == axes + 2);
  WindowPlane plane;
  if (axes == 2) plane.y = AxisOf(window, 0, input, output);
  plane.x = AxisOf(window, axes - 1, input, output);
  return plane;
}

int64_t Volume(const Shape& shape, size_t first, size_t last) {
  int64_t volume = 1;
  for (size_t axis = first; axis < last; ++axis) volume *= shape[axis];
  return volume;
}

}  // namespace fettle
