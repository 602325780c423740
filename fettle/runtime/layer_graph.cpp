#include "fettle/runtime/layer_graph.h"

namespace fettle {

std::vector<std::vector<int>> LayerGraph::Readers() const {
  std::vector<std::vector<int>> readers(tensors.size());
  for (size_t i = 0; i < layers.size(); ++i) {
    for (const TensorId id : layers[i].inputs) {
      std::vector<int>& list = readers[static_cast<size_t>(id)];
      if (list.empty() || list.back() != static_cast<int>(i)) list.push_back(static_cast<int>(i));
    }
  }
  return readers;
}

std::vector<int> LayerGraph::Producers() const {
  std::vector<int> producers(tensors.size(), -1);
  for (size_t i = 0; i < layers.size(); ++i) {
    producers[static_cast<size_t>(layers[i].output)] = static_cast<int>(i);
  }
  return producers;
}

int64_t MacsOf(const LayerGraph& graph) {
  int64_t macs = 0;
  for (const Layer& layer : graph.layers) macs += MacsOf(layer.spec);
  return macs;
}

}  // namespace fettle
