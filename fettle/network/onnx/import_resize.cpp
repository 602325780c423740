#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

template <typename E, size_t N>
E Named(const std::array<std::pair<std::string_view, E>, N>& names, const std::string& name,
        std::string_view what) {
  for (const auto& [known, value] : names) {
    if (known == name) return value;
  }
  throw Refuse(what, " ", Quoted(name));
}

constexpr std::string_view kSymmetric = "half_pixel_symmetric";

ResizeMode ReadMode(const NodeImport& node) {
  constexpr std::array<std::pair<std::string_view, ResizeMode>, 2> kModes = {
      {{"nearest", ResizeMode::kNearest}, {"linear", ResizeMode::kLinear}}};
  return Named(kModes, node.attributes().String("mode", "nearest"), "the mode");
}

ResizeCoordinates ReadCoordinates(const std::string& name) {
  using C = ResizeCoordinates;
  constexpr std::array<std::pair<std::string_view, C>, 5> kCoordinates = {
      {{"half_pixel", C::kHalfPixel},
       {kSymmetric, C::kHalfPixel},  // where ImportResize finds that they agree
       {"pytorch_half_pixel", C::kPytorchHalfPixel},
       {"align_corners", C::kAlignCorners},
       {"asymmetric", C::kAsymmetric}}};
  return Named(kCoordinates, name, "the coordinate_transformation_mode");
}

NearestRounding ReadRounding(const NodeImport& node) {
  using R = NearestRounding;
  constexpr std::array<std::pair<std::string_view, R>, 4> kRoundings = {
      {{"round_prefer_floor", R::kRoundPreferFloor},
       {"round_prefer_ceil", R::kRoundPreferCeil},
       {"floor", R::kFloor},
       {"ceil", R::kCeil}}};
  return Named(kRoundings, node.attributes().String("nearest_mode", "round_prefer_floor"),
               "the nearest_mode");
}

std::vector<float> FloatsInput(const NodeImport& node, size_t i, std::string_view what) {
  const Tensor& tensor = node.ConstantInput(i, what);
  if (tensor.dtype() != DType::kF32) throw BadInput("its ", what, " is ", TypeText(tensor.type()));
  return {tensor.values<float>().begin(), tensor.values<float>().end()};
}

// So many entries as there are axes to resize, each a sensible factor.
void RequireScales(const std::vector<float>& scales, size_t axes) {
  if (scales.size() != axes) {
    throw BadInput("scales has ", scales.size(), " entries, expected ", axes);
  }
  for (float scale : scales) {
    if (!(scale > 0) || scale > 1e6f) throw BadInput("scale ", scale);
  }
}

void SetScales(const std::vector<float>& scales, const std::vector<int64_t>& axes,
               const Shape& input, Resize* resize) {
  RequireScales(scales, axes.size());
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    resize->scales[axis] = scales[i];
    resize->sizes[axis] =
        static_cast<int64_t>(std::floor(static_cast<float>(input[axis]) * scales[i]));
  }
}

// keep_aspect_ratio_policy: the sizes are bounds, and one scale holds for all axes.
void KeepAspectRatio(const std::string& policy, const std::vector<int64_t>& axes,
                     const Shape& input, Resize* resize) {
  const bool is_smaller = policy == "not_larger";
  if (!is_smaller && policy != "not_smaller") {
    throw Refuse("the keep_aspect_ratio_policy ", Quoted(policy));
  }
  std::vector<float> scales;
  for (int64_t axis : axes) scales.push_back(resize->scales[static_cast<size_t>(axis)]);
  if (scales.empty()) return;
  const float scale = is_smaller ? *std::min_element(scales.begin(), scales.end())
                                 : *std::max_element(scales.begin(), scales.end());
  for (int64_t wide_axis : axes) {
    const auto axis = static_cast<size_t>(wide_axis);
    const float size = std::floor(scale * static_cast<float>(input[axis]) + 0.5f);
    if (size >= 0x1p31f) throw BadInput("resizes axis ", axis, " to ", size);
    resize->scales[axis] = scale;
    resize->sizes[axis] = static_cast<int64_t>(size);
  }
}

void SetSizes(const std::vector<int64_t>& sizes, const std::vector<int64_t>& axes,
              const std::string& policy, const Shape& input, Resize* resize) {
  if (sizes.size() != axes.size()) {
    throw BadInput("sizes has ", sizes.size(), " entries, expected ", axes.size());
  }
  for (size_t i = 0; i < axes.size(); ++i) {
    const auto axis = static_cast<size_t>(axes[i]);
    if (sizes[i] < 1 || sizes[i] >= (int64_t{1} << 31) || input[axis] < 1) {
      throw BadInput("resizes axis ", axis, " from ", input[axis], " to ", sizes[i]);
    }
    resize->sizes[axis] = sizes[i];
    resize->scales[axis] = static_cast<float>(sizes[i]) / static_cast<float>(input[axis]);
  }
  if (policy != "stretch") KeepAspectRatio(policy, axes, input, resize);
}

// half_pixel_symmetric corrects for a size that is not exactly input * scale; where it is, it is
// half_pixel.
void RequireExactSizes(const Resize& resize, const Shape& input) {
  for (size_t axis = 0; axis < input.size(); ++axis) {
    if (static_cast<float>(input[axis]) * resize.scales[axis] !=
        static_cast<float>(resize.sizes[axis])) {
      throw Refuse("half_pixel_symmetric with scale ", resize.scales[axis], " of an axis of ",
                   input[axis]);
    }
  }
}

// What Upsample and opset 10's Resize say: scales alone, and coordinates that later opsets call
// asymmetric. Where they shrink by a factor that is not whole, opset 10 left the rounding open and
// runtimes disagree.
void EmitOldResize(ResizeMode mode, const std::vector<float>& scales, NodeImport* node) {
  const Operand input = node->Input(0);
  const Shape& shape = input.type.shape;
  Resize resize{mode, ResizeCoordinates::kAsymmetric, NearestRounding::kFloor,
                std::vector<float>(shape.size(), 1), shape};
  std::vector<int64_t> axes(shape.size());
  std::iota(axes.begin(), axes.end(), 0);
  SetScales(scales, axes, shape, &resize);
  for (float scale : scales) {
    const float factor = 1 / scale;
    if (mode == ResizeMode::kNearest && scale < 1 && factor != std::floor(factor)) {
      throw Refuse("opset 10's nearest with scale ", scale,
                   ", whose rounding it leaves open; convert the model to opset 11 or newer");
    }
  }
  node->Emit(resize, {input});
}

std::vector<int64_t> ReadAxes(const NodeImport& node) {
  const std::optional<std::vector<int64_t>> given = node.attributes().Ints("axes");
  std::vector<int64_t> axes(static_cast<size_t>(node.Rank(0)));
  std::iota(axes.begin(), axes.end(), 0);
  if (!given) return axes;
  axes = *given;
  ResolvedAxes(axes, node.Rank(0));  // throws where one stands twice
  for (int64_t& axis : axes) axis = ResolvedAxis(axis, node.Rank(0));
  return axes;
}

}  // namespace

void ImportUpsample(NodeImport& node) {
  const ResizeMode mode = ReadMode(node);
  if (node.opset() >= 10) throw Refuse("Upsample ended with opset 9; this model has a newer one");
  const std::optional<std::vector<float>> attribute = node.attributes().Floats("scales");
  if (node.opset() < 9 && !attribute) throw BadInput("has no scales");
  const std::vector<float> scales = attribute ? *attribute : FloatsInput(node, 1, "scales");
  for (float scale : scales) {
    if (scale < 1) throw BadInput("upsamples by ", scale);
  }
  EmitOldResize(mode, scales, &node);
}

void ImportResize(NodeImport& node) {
  const Attributes& attributes = node.attributes();
  const ResizeMode mode = ReadMode(node);
  if (node.opset() < 11) {
    EmitOldResize(mode, FloatsInput(node, 1, "scales"), &node);
    return;
  }
  // The latter three matter only to cubic interpolation and to cropping; roi likewise.
  for (const char* name : {"cubic_coeff_a", "extrapolation_value", "exclude_outside"}) {
    attributes.Ignore(name);
  }
  if (attributes.Int("antialias", 0) != 0) throw Refuse("antialias");
  const std::string coordinates = attributes.String("coordinate_transformation_mode", "half_pixel");
  const std::string policy = attributes.String("keep_aspect_ratio_policy", "stretch");
  Resize resize{mode, ReadCoordinates(coordinates), ReadRounding(node), {}, {}};

  const Operand input = node.Input(0);
  const Shape& shape = input.type.shape;
  resize.scales.assign(shape.size(), 1);
  resize.sizes = shape;
  const std::vector<int64_t> axes = ReadAxes(node);
  const auto scales = node.Has(2) ? FloatsInput(node, 2, "scales") : std::vector<float>();
  const auto sizes = node.Has(3) ? node.IntsInput(3, "sizes") : std::vector<int64_t>();
  if (scales.empty() == sizes.empty()) throw BadInput("needs either scales or sizes");
  if (scales.empty()) {
    SetSizes(sizes, axes, policy, shape, &resize);
  } else {
    SetScales(scales, axes, shape, &resize);
  }
  if (coordinates == kSymmetric) RequireExactSizes(resize, shape);
  node.Emit(resize, {input});
}

}  // namespace fettle
