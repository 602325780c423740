#include "fettle/network/graph_edit.h"

#include <algorithm>
#include <cassert>

#include "fettle/core/error.h"

namespace fettle {

Graph WithNodeReplaced(const Graph& graph, int node, const NodeReplacement& replacement) {
  Graph result;
  result.metadata = graph.metadata;
  std::vector<ValueId> ids(graph.num_values(), -1);
  const auto id_of = [&](ValueId id) -> ValueId& { return ids[static_cast<size_t>(id)]; };
  for (const ValueId id : graph.inputs()) {
    id_of(id) = result.AddInput(graph.value(id).name, graph.value(id).type);
  }
  for (size_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    if (graph.IsConstant(id)) {
      id_of(id) = result.AddConstant(graph.value(id).name, graph.value(id).constant);
    }
  }
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& old = graph.nodes()[n];
    std::vector<ValueId> inputs;
    inputs.reserve(old.inputs.size());
    for (const ValueId id : old.inputs) inputs.push_back(id_of(id));
    if (static_cast<int>(n) == node) {
      assert(old.outputs.size() == 1);
      const Value& output = graph.value(old.outputs[0]);
      const size_t known = result.num_values();
      const ValueId id = replacement(&result, inputs);
      if (result.value(id).type != output.type) {
        throw Error(ErrorKind::kInternal,
                    Text("'", old.name, "' was replaced by another type: ",
                         TypeText(result.value(id).type), ", not ", TypeText(output.type)));
      }
      if (static_cast<size_t>(id) >= known) result.Rename(id, output.name);
      id_of(old.outputs[0]) = id;
      continue;
    }
    const std::vector<ValueId> outputs = result.AddNode(old.name, old.op, std::move(inputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      result.Rename(outputs[i], graph.value(old.outputs[i]).name);
      id_of(old.outputs[i]) = outputs[i];
    }
  }
  for (const ValueId id : graph.outputs()) result.AddOutput(id_of(id));
  result.RemoveUnused();
  return result;
}

std::string UnusedNodeName(const Graph& graph, const std::string& name) {
  const auto is_used = [&](const std::string& candidate) {
    return std::ranges::any_of(graph.nodes(),
                               [&](const Node& node) { return node.name == candidate; });
  };
  std::string unused = name;
  for (int number = 2; is_used(unused); ++number) unused = Text(name, "_", number);
  return unused;
}

}  // namespace fettle
