#include "fettle/tuner/variant_place.h"

#include <algorithm>
#include <cassert>
#include <variant>

#include "fettle/network/variants/factor_variant.h"
#include "fettle/network/variants/variant_list.h"

namespace fettle {
namespace {

FactorShape WholeOf(const WeightedLayer& layer) {
  return {layer.outputs, layer.inputs, layer.groups, layer.window};
}

}  // namespace

VariantPlace::VariantPlace(const Graph& original, const TuningDecision& decision) {
  assert(decision.kind == TuningDecision::Kind::kVariant);
  variants_.push_back(nullptr);
  for (size_t option = 1; option < decision.variants.size(); ++option) {
    variants_.push_back(ParseVariant(decision.variants[option]));
  }
  const std::vector<WeightedLayer> layers = WeightedLayers(original);
  const auto layer = std::ranges::find(layers, decision.layer, &WeightedLayer::name);
  if (layer == layers.end()) return;
  layer_ = *layer;
  const Node& node = original.nodes()[static_cast<size_t>(layer->node)];
  weights_ = node.inputs[1];
  const auto* gemm = std::get_if<Gemm>(&node.op);
  has_outputs_last_ =
      std::holds_alternative<MatMul>(node.op) || (gemm != nullptr && !gemm->transpose_b);
}

void VariantPlace::TieTo(const ChannelGroup& group, size_t width) {
  if (!layer_) return;
  for (const ChannelSlice& slice : group.slices) {
    if (slice.place.value != weights_) continue;
    const int axis = has_outputs_last_ ? 1 - slice.place.axis : slice.place.axis;
    touches_.push_back({width, axis, slice.per_unit});
  }
}

std::vector<size_t> VariantPlace::Widths() const {
  std::vector<size_t> widths;
  for (const Touch& touch : touches_) widths.push_back(touch.width);
  return widths;
}

bool VariantPlace::Applies(int option, const Candidate& candidate,
                           const std::vector<TuningDecision>& decisions) const {
  if (option == 0 || !layer_) return true;
  const FactorVariant* const variant = Of(option).AsFactors();
  if (variant == nullptr) return true;
  WeightedLayer layer = *layer_;
  for (const Touch& touch : touches_) {
    const std::vector<int64_t>& kept = decisions[touch.width].kept;
    const int64_t removed =
        (kept[0] - kept[static_cast<size_t>(candidate.options[touch.width])]) * touch.per_unit;
    (touch.axis == 0 ? layer.outputs : layer.inputs) -= removed;
    if (touch.axis == 1) layer.input.shape[1] -= removed;
  }
  if (!variant->WhyNot(layer).empty()) return false;
  const std::vector<FactorShape> shapes = variant->Shapes(layer);
  const FactorShape whole = WholeOf(layer);
  return ParametersOf(shapes) < whole.parameters() ||
         MacsOf(layer, shapes) < MacsOf(layer, {&whole, 1});
}

}  // namespace fettle
