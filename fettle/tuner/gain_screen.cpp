#include "fettle/tuner/gain_screen.h"

#include <memory>
#include <optional>
#include <utility>
#include <variant>

#include "fettle/core/shape_inference.h"
#include "fettle/cost_models/reckoned_cost.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/variants/variant_list.h"

namespace fettle {
namespace {

constexpr double kLeastGain = 0.1;  // of the layer's time

// Padding that was folded into the layer is folded into the first of its factors.
void PadAlike(const Window& before, const Window& lowered, Window* first) {
  for (size_t axis = 0; axis < before.kernel.size(); ++axis) {
    first->pads_begin[axis] += lowered.pads_begin[axis] - before.pads_begin[axis];
    first->pads_end[axis] += lowered.pads_end[axis] - before.pads_end[axis];
  }
}

}  // namespace

GainScreen::GainScreen(const Graph& graph, const Target& target) : graph_(graph), target_(target) {
  const LayerGraph lowered = Lower(graph);
  whole_ = ReckonedMs(lowered, target);
  for (const Layer& layer : lowered.layers) layers_[layer.name] = layer.spec;
}

std::optional<double> GainScreen::MsOfFactors(const FactorVariant& variant,
                                              const WeightedLayer& layer,
                                              const LayerSpec& lowered) const {
  const auto* const conv = std::get_if<Conv>(&lowered.op);
  const bool is_known =
      layer.is_conv ? conv != nullptr : std::holds_alternative<InnerProduct>(lowered.op);
  if (!is_known) return std::nullopt;
  const std::vector<FactorShape> shapes = variant.Shapes(layer);
  double ms = 0;
  TensorType input = lowered.inputs[0];
  for (size_t i = 0; i < shapes.size(); ++i) {
    Op op = OpOf(layer, shapes[i]);
    if (i == 0 && conv != nullptr) {
      PadAlike(layer.window, conv->window, &std::get<Conv>(op).window);
    }
    const TensorType weights = {DType::kF32, WeightsShape(layer, shapes[i])};
    const bool is_last = i + 1 == shapes.size();
    LayerSpec spec;
    if (is_last) spec = lowered;  // with its bias and what is fused
    spec.op = layer.is_conv ? op : Op(InnerProduct{});
    if (is_last) {
      spec.inputs[0] = input;
      spec.weights[0] = weights;
    } else {
      spec.inputs = {input};
      spec.weights = {weights};
      spec.output = InferTypes(op, std::vector{input, weights}).at(0);
    }
    ms += ReckonedMs(spec, target_);
    input = spec.output;
  }
  return ms;
}

double GainScreen::GainOf(const std::string& layer, const std::string& text) const {
  const std::unique_ptr<Variant> variant = ParseVariant(text);
  const auto lowered = layers_.find(layer);
  if (variant->AsFactors() != nullptr && lowered != layers_.end()) {
    const std::optional<double> ms =
        MsOfFactors(*variant->AsFactors(), FindWeightedLayer(graph_, layer), lowered->second);
    if (ms) return ReckonedMs(lowered->second, target_) - *ms;
  }
  RewriteOptions shapes;
  shapes.shapes_only = true;
  return whole_ -
         ReckonedMs(Lower(variant->Rewrite(graph_, layer, shapes), {.shapes_only = true}), target_);
}

std::vector<double> GainScreen::Apply(NetworkDecision* decision) const {
  const auto layer = layers_.find(decision->layer);
  const double least = layer == layers_.end() ? 0 : kLeastGain * ReckonedMs(layer->second, target_);
  std::vector<double> gains;
  std::erase_if(decision->options, [&](const NetworkOption& option) {
    const double gain = GainOf(decision->layer, option.variant);
    if (gain > least) gains.push_back(gain);
    return gain <= least;
  });
  return gains;
}

}  // namespace fettle
