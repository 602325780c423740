#include <array>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/network/onnx/node_export.h"

namespace fettle {
namespace {

// Whether ONNX derives these sizes from the scales, or these scales from the sizes.
bool SizesFollow(const Resize& op, const Shape& input) {
  for (size_t axis = 0; axis < input.size(); ++axis) {
    const float size = std::floor(static_cast<float>(input[axis]) * op.scales[axis]);
    if (size != static_cast<float>(op.sizes[axis])) return false;
  }
  return true;
}

bool ScalesFollow(const Resize& op, const Shape& input) {
  for (size_t axis = 0; axis < input.size(); ++axis) {
    const float scale = static_cast<float>(op.sizes[axis]) / static_cast<float>(input[axis]);
    if (scale != op.scales[axis]) return false;
  }
  return true;
}

}  // namespace

void ExportResize(const Resize& op, NodeExport* node) {
  constexpr std::array<std::string_view, 2> kModes = {"nearest", "linear"};
  constexpr std::array<std::string_view, 4> kCoordinates = {"half_pixel", "pytorch_half_pixel",
                                                            "align_corners", "asymmetric"};
  constexpr std::array<std::string_view, 4> kRoundings = {"round_prefer_floor", "round_prefer_ceil",
                                                          "floor", "ceil"};
  node->SetOpType("Resize");
  node->SetString("mode", kModes[static_cast<size_t>(op.mode)]);
  node->SetString("coordinate_transformation_mode",
                  kCoordinates[static_cast<size_t>(op.coordinates)]);
  node->SetString("nearest_mode", kRoundings[static_cast<size_t>(op.rounding)]);

  const Shape& input = node->InputType(0).shape;
  const bool sizes_follow = SizesFollow(op, input), scales_follow = ScalesFollow(op, input);
  node->SkipInput();  // roi
  if (sizes_follow && (node->has_open_batch() || !scales_follow)) {
    node->AddInput("scales", Tensor::Of<float>(
                                 DType::kF32, {static_cast<int64_t>(op.scales.size())}, op.scales));
  } else if (scales_follow) {
    node->SkipInput();
    node->AddInput("sizes", op.sizes);
  } else {
    throw BadInput("sizes ", ShapeText(op.sizes), " do not follow from the scales");
  }
}

}  // namespace fettle
