#include "fettle/cost_models/layer_features.h"

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// An element that moves costs about as much as so many multiplications on CPUs with wide vectors:
// with it, layers of small and large arithmetic intensity come out alike.
constexpr double kMacsPerElement = 4;

std::string KindOfOp(const LayerSpec& spec) {
  const auto* conv = std::get_if<Conv>(&spec.op);
  if (conv == nullptr) {
    if (const auto* pool = std::get_if<Pool>(&spec.op)) {
      return Text("pool ", static_cast<int>(pool->kind), " ", ShapeText(pool->window.kernel), " ",
                  ShapeText(pool->window.strides));
    }
    if (const auto* block = std::get_if<InvertedResidual>(&spec.op)) {
      return Text(NameOf(spec.op), block->expands ? " expanding " : " ",
                  ShapeText(block->window.kernel), " ", ShapeText(block->window.strides));
    }
    return std::string(NameOf(spec.op));
  }
  std::string grouping = "dense";
  if (conv->groups > 1) {
    grouping = conv->groups == spec.inputs[0].shape[1] ? "depthwise" : "grouped";
  }
  return Text("conv ", ShapeText(conv->window.kernel), " ", ShapeText(conv->window.strides), " ",
              ShapeText(conv->window.dilations), " ", grouping);
}

double LogExtent(const Shape& shape, size_t axis) {
  return axis < shape.size() ? std::log(std::max<double>(1, static_cast<double>(shape[axis]))) : 0;
}

}  // namespace

LayerFeatures FeaturesOf(const LayerSpec& spec, const Implementation& implementation) {
  LayerFeatures features;
  const std::string name = implementation.name.substr(0, implementation.name.find(':'));
  const std::string_view dtype = NameOf(spec.output.dtype);
  features.primitive = Text(NameOf(spec.op), " ", dtype, " ", name);
  features.family = Text(KindOfOp(spec), " ", NameOf(spec.inputs[0].dtype), " ", dtype, " ",
                         spec.adds_residual ? "residual " : "", implementation.name);
  for (const Layout layout : implementation.inputs)
    features.family.append(" ").append(NameOf(layout));
  features.family.append(" ").append(NameOf(implementation.output));

  const Shape& in = spec.inputs[0].shape;
  const Shape& out = spec.output.shape;
  double positions = 0;
  for (size_t axis = 2; axis < out.size(); ++axis) positions += LogExtent(out, axis);
  features.extents = {LogExtent(in, 1), LogExtent(out, 1), positions, LogExtent(out, 0)};

  double elements = static_cast<double>(ElementCount(spec.output));
  for (const TensorType& type : spec.inputs) elements += static_cast<double>(ElementCount(type));
  for (const TensorType& type : spec.weights) elements += static_cast<double>(ElementCount(type));
  // Only kernels for sparse weights leave out what is zero.
  const double density = name.find("sparse") == std::string::npos ? 1 : spec.density;
  features.work =
      std::max(1.0, density * static_cast<double>(MacsOf(spec)) + kMacsPerElement * elements);
  return features;
}

}  // namespace fettle
