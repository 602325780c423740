#include <algorithm>

#include "fettle/deploy/layer_graph_edit.h"
#include "fettle/deploy/lowering_passes.h"

namespace fettle {
namespace {

bool IsZeroPaddingOfSpace(const Pad& pad) {
  if (pad.mode != PadMode::kConstant || pad.value != 0 || pad.begin.size() < 3) return false;
  if (pad.begin[0] != 0 || pad.begin[1] != 0 || pad.end[0] != 0 || pad.end[1] != 0) return false;
  const auto is_negative = [](int64_t extent) { return extent < 0; };
  return std::ranges::none_of(pad.begin, is_negative) && std::ranges::none_of(pad.end, is_negative);
}

}  // namespace

void FoldPadding(LayerGraph* graph) {
  LayerGraphEdit edit(graph);
  for (int i = 0; i < static_cast<int>(graph->layers.size()); ++i) {
    Layer& layer = edit.layer(i);
    auto* conv = std::get_if<Conv>(&layer.spec.op);
    const int producer = conv ? edit.SoleProducer(layer.inputs[0], i) : -1;
    if (producer < 0) continue;
    Layer& before = edit.layer(producer);
    const auto* pad = std::get_if<Pad>(&before.spec.op);
    if (pad == nullptr || !IsZeroPaddingOfSpace(*pad)) continue;
    for (size_t axis = 0; axis < conv->window.kernel.size(); ++axis) {
      conv->window.pads_begin[axis] += pad->begin[axis + 2];
      conv->window.pads_end[axis] += pad->end[axis + 2];
    }
    // The convolution reads what the padding read; the padding then computes what nobody reads.
    layer.inputs[0] = before.inputs[0];
    layer.spec.inputs[0] = before.spec.inputs[0];
    edit.Remove(producer);
  }
  edit.Finish();
}

}  // namespace fettle
