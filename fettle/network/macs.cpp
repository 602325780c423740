#include "fettle/network/macs.h"

#include <utility>

#include "fettle/core/layer_spec.h"

namespace fettle {

int64_t MacsOf(const Op& op, std::vector<TensorType> inputs, TensorType output) {
  LayerSpec spec;
  spec.op = op;
  if (!inputs.empty()) {
    spec.weights.assign(std::make_move_iterator(inputs.begin() + 1),
                        std::make_move_iterator(inputs.end()));
    inputs.resize(1);
  }
  spec.inputs = std::move(inputs);
  spec.output = std::move(output);
  return MacsOf(spec);
}

int64_t MacsOf(const Graph& graph, const Node& node) {
  std::vector<TensorType> inputs;
  inputs.reserve(node.inputs.size());
  for (ValueId id : node.inputs) inputs.push_back(graph.value(id).type);
  return MacsOf(node.op, std::move(inputs), graph.value(node.outputs[0]).type);
}

int64_t MacsOf(const Graph& graph) {
  int64_t macs = 0;
  for (const Node& node : graph.nodes()) macs += MacsOf(graph, node);
  return macs;
}

}  // namespace fettle
