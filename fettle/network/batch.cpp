#include "fettle/network/batch.h"

#include <cassert>

#include "fettle/core/error.h"

namespace fettle {
namespace {

// The attributes that name the batch, changed where the leading extent of the result was it.
Op ForBatch(const Op& op, const Shape& input, int64_t old_batch, int64_t batch) {
  Op changed = op;
  const bool has_batch = !input.empty() && input[0] == old_batch;
  if (!has_batch) return changed;
  if (auto* reshape = std::get_if<Reshape>(&changed)) {
    if (!reshape->shape.empty() && reshape->shape[0] == old_batch) reshape->shape[0] = batch;
  } else if (auto* slice = std::get_if<Slice>(&changed)) {
    const bool is_whole = slice->starts[0] == 0 && slice->ends[0] == old_batch;
    if (is_whole && slice->steps[0] == 1) slice->ends[0] = batch;
  } else if (auto* resize = std::get_if<Resize>(&changed)) {
    if (resize->sizes[0] == old_batch) resize->sizes[0] = batch;
  }
  return changed;
}

}  // namespace

int64_t BatchOf(const Graph& graph) {
  if (graph.inputs().empty()) throw BadInput("the model has no inputs");
  const Value& input = graph.value(graph.inputs()[0]);
  if (input.type.shape.empty()) {
    throw BadInput("input '", input.name, "' is a scalar and has no batch");
  }
  return input.type.shape[0];
}

Graph WithBatch(const Graph& graph, int64_t batch) {
  assert(batch >= 1);
  const int64_t old_batch = BatchOf(graph);
  if (batch == old_batch) return graph;
  Graph result;
  result.metadata = graph.metadata;
  std::vector<ValueId> new_ids(graph.num_values(), -1);
  const auto new_id = [&](ValueId id) -> ValueId& { return new_ids[static_cast<size_t>(id)]; };
  for (const ValueId id : graph.inputs()) {
    TensorType type = graph.value(id).type;
    if (!type.shape.empty() && type.shape[0] == old_batch) type.shape[0] = batch;
    new_id(id) = result.AddInput(graph.value(id).name, type);
  }
  for (const Node& node : graph.nodes()) {
    std::vector<ValueId> inputs;
    for (const ValueId id : node.inputs) {
      if (new_id(id) < 0 && graph.IsConstant(id)) {
        new_id(id) = result.AddConstant(graph.value(id).name, graph.value(id).constant);
      }
      inputs.push_back(new_id(id));
    }
    const Shape input = node.inputs.empty() ? Shape{} : graph.value(node.inputs[0]).type.shape;
    const std::vector<ValueId> outputs =
        result.AddNode(node.name, ForBatch(node.op, input, old_batch, batch), std::move(inputs));
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Value& before = graph.value(node.outputs[i]);
      Shape expected = before.type.shape;
      if (!expected.empty() && expected[0] == old_batch) expected[0] = batch;
      if (result.value(outputs[i]).type.shape != expected) {
        throw BadInput("node '", node.name, "': the network only works at batch ", old_batch);
      }
      result.Rename(outputs[i], before.name);
      new_id(node.outputs[i]) = outputs[i];
    }
  }
  for (const ValueId id : graph.outputs()) {
    if (new_id(id) < 0)
      new_id(id) = result.AddConstant(graph.value(id).name, graph.value(id).constant);
    result.AddOutput(new_id(id));
  }
  return result;
}

}  // namespace fettle
