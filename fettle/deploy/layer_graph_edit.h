#pragma once

#include <vector>

#include "fettle/runtime/layer_graph.h"

namespace fettle {

// What the passes share: who reads and computes what, and the removal of layers.
class LayerGraphEdit {
 public:
  explicit LayerGraphEdit(LayerGraph* graph);

  LayerGraph& graph() { return *graph_; }
  Layer& layer(int index) { return graph_->layers[static_cast<size_t>(index)]; }

  // The layer that computes a tensor which only the layer `reader` reads, and reads once; else -1.
  int SoleProducer(TensorId tensor, int reader) const;

  // `into` takes over the output of the layer `from`, which is removed.
  void TakeOver(int into, int from);

  // Removes a layer whose output nothing reads any more.
  void Remove(int layer) { is_removed_[static_cast<size_t>(layer)] = true; }

  // Drops removed layers, those whose results nothing uses, and unused tensors; ends the edit.
  void Finish();

 private:
  void RemoveUnread();

  LayerGraph* graph_;
  std::vector<int> producers_;
  std::vector<std::vector<int>> readers_;
  std::vector<bool> is_output_;
  std::vector<bool> is_removed_;
};

}  // namespace fettle
