#include <memory>
#include <span>

#include "fettle/deploy/layer_graph_edit.h"
#include "fettle/deploy/lowering_passes.h"

namespace fettle {
namespace {

bool CanTakeAffine(const LayerSpec& spec) {
  const bool has_channels = std::holds_alternative<Conv>(spec.op) ||
                            std::holds_alternative<InnerProduct>(spec.op) ||
                            std::holds_alternative<ChannelAffine>(spec.op);
  return has_channels && !spec.adds_residual && !spec.activation;
}

// scale * weights, row by row of the outermost axis.
std::shared_ptr<const Tensor> Scaled(const Tensor& weights, std::span<const float> scale) {
  auto result = std::make_shared<Tensor>(weights);
  const std::span<float> values = result->values<float>();
  const size_t row = values.size() / scale.size();
  for (size_t i = 0; i < values.size(); ++i) values[i] *= scale[i / row];
  return result;
}

// The layer's weights are a matrix (or scale) with channels outermost, then possibly a bias.
void AbsorbValues(const Layer& affine, Layer* layer) {
  const std::span<const float> scale = affine.weights[0]->values<float>();
  const std::span<const float> shift = affine.weights[1]->values<float>();
  auto bias = std::make_shared<Tensor>(*affine.weights[1]);
  if (layer->weights.size() > 1) {
    const std::span<const float> old = layer->weights[1]->values<float>();
    for (size_t c = 0; c < old.size(); ++c) {
      bias->values<float>()[c] = scale[c] * old[c] + shift[c];
    }
  }
  layer->weights = {Scaled(*layer->weights[0], scale), std::move(bias)};
}

void Absorb(const Layer& affine, Layer* layer, bool shapes_only) {
  if (shapes_only) {
    layer->weights = {layer->weights[0], affine.weights[1]};
  } else {
    AbsorbValues(affine, layer);
  }
  layer->spec.weights = {layer->weights[0]->type(), layer->weights[1]->type()};
}

}  // namespace

void FoldChannelAffine(LayerGraph* graph, bool shapes_only) {
  LayerGraphEdit edit(graph);
  for (int i = 0; i < static_cast<int>(graph->layers.size()); ++i) {
    const Layer& affine = edit.layer(i);
    if (!std::holds_alternative<ChannelAffine>(affine.spec.op)) continue;
    const int producer = edit.SoleProducer(affine.inputs[0], i);
    if (producer < 0 || !CanTakeAffine(edit.layer(producer).spec)) continue;
    Absorb(affine, &edit.layer(producer), shapes_only);
    edit.TakeOver(producer, i);
  }
  edit.Finish();
}

}  // namespace fettle
