#include <utility>

#include "fettle/deploy/layer_graph_edit.h"
#include "fettle/deploy/lowering_passes.h"

namespace fettle {
namespace {

bool IsPlainSum(const LayerSpec& spec) {
  const auto* binary = std::get_if<Binary>(&spec.op);
  return binary && binary->kind == BinaryKind::kAdd && spec.output.dtype == DType::kF32 &&
         spec.inputs[0] == spec.output && spec.inputs[1] == spec.output;
}

bool CanAddResidual(const LayerSpec& spec) {
  return (std::holds_alternative<Conv>(spec.op) || std::holds_alternative<InnerProduct>(spec.op)) &&
         !spec.adds_residual && !spec.activation;
}

// Which input of the sum comes from a layer that can add the other to its result: the later one
// where both do, since it is mostly the end of the longer branch.
int FusibleInput(LayerGraphEdit* edit, int sum) {
  int best = -1, best_producer = -1;
  for (int i = 0; i < 2; ++i) {
    const TensorId input = edit->layer(sum).inputs[static_cast<size_t>(i)];
    const int producer = edit->SoleProducer(input, sum);
    if (producer <= best_producer || !CanAddResidual(edit->layer(producer).spec)) continue;
    best = i;
    best_producer = producer;
  }
  return best;
}

}  // namespace

void FuseResidual(LayerGraph* graph) {
  LayerGraphEdit edit(graph);
  for (int i = 0; i < static_cast<int>(graph->layers.size()); ++i) {
    Layer& sum = edit.layer(i);
    if (!IsPlainSum(sum.spec)) continue;
    const int fused = FusibleInput(&edit, i);
    if (fused < 0) continue;
    const int producer = edit.SoleProducer(sum.inputs[static_cast<size_t>(fused)], i);
    const TensorId residual = sum.inputs[static_cast<size_t>(1 - fused)];

    // The fused layer stands where the sum stood: there its residual has been computed.
    Layer layer = edit.layer(producer);
    layer.inputs.push_back(residual);
    layer.spec.inputs.push_back(sum.spec.output);
    layer.spec.adds_residual = true;
    layer.output = sum.output;
    sum = std::move(layer);
    edit.Remove(producer);
  }
  edit.Finish();
}

}  // namespace fettle
