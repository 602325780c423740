#include "fettle/deploy/layer_graph_edit.h"
#include "fettle/deploy/lowering_passes.h"

namespace fettle {
namespace {

bool CanActivate(const LayerSpec& spec) {
  const bool is_fusible =
      std::holds_alternative<Conv>(spec.op) || std::holds_alternative<InnerProduct>(spec.op) ||
      std::holds_alternative<ChannelAffine>(spec.op) || std::holds_alternative<Binary>(spec.op) ||
      std::holds_alternative<Sum>(spec.op);
  return is_fusible && !spec.activation && spec.output.dtype == DType::kF32;
}

}  // namespace

void FuseActivation(LayerGraph* graph) {
  LayerGraphEdit edit(graph);
  for (int i = 0; i < static_cast<int>(graph->layers.size()); ++i) {
    const Layer& layer = edit.layer(i);
    const auto* activation = std::get_if<Activation>(&layer.spec.op);
    if (activation == nullptr) continue;
    const int producer = edit.SoleProducer(layer.inputs[0], i);
    if (producer < 0 || !CanActivate(edit.layer(producer).spec)) continue;
    edit.layer(producer).spec.activation = *activation;
    edit.TakeOver(producer, i);
  }
  edit.Finish();
}

}  // namespace fettle
