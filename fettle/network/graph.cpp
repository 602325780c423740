#include "fettle/network/graph.h"

#include <cassert>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/shape_inference.h"

namespace fettle {

ValueId Graph::AddValue(Value value) {
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size() - 1);
}

ValueId Graph::AddInput(std::string name, TensorType type) {
  const ValueId id = AddValue({std::move(name), std::move(type), nullptr});
  inputs_.push_back(id);
  return id;
}

ValueId Graph::AddConstant(std::string name, Tensor tensor) {
  return AddConstant(std::move(name), std::make_shared<const Tensor>(std::move(tensor)));
}

ValueId Graph::AddConstant(std::string name, std::shared_ptr<const Tensor> tensor) {
  assert(tensor != nullptr);
  TensorType type = tensor->type();
  return AddValue({std::move(name), std::move(type), std::move(tensor)});
}

std::vector<ValueId> Graph::AddNode(std::string name, Op op, std::vector<ValueId> inputs) {
  std::vector<TensorType> input_types;
  input_types.reserve(inputs.size());
  for (ValueId id : inputs) input_types.push_back(value(id).type);
  std::vector<TensorType> types;
  try {
    if (std::holds_alternative<InvertedResidual>(op)) {
      throw BadInput("a composite of lowered layers, which no network holds");
    }
    types = InferTypes(op, input_types);
  } catch (const Error& error) {
    throw Error(error.kind(), Text("node '", name, "' (", NameOf(op), "): ", error.what()));
  }
  std::vector<ValueId> outputs;
  outputs.reserve(types.size());
  for (size_t i = 0; i < types.size(); ++i) {
    std::string output = types.size() == 1 ? name : Text(name, ":", i);
    outputs.push_back(AddValue({std::move(output), std::move(types[i]), nullptr}));
  }
  nodes_.push_back({std::move(name), std::move(op), std::move(inputs), outputs});
  return outputs;
}

void Graph::AddOutput(ValueId value) { outputs_.push_back(value); }

void Graph::Rename(ValueId id, std::string name) {
  values_.at(static_cast<size_t>(id)).name = std::move(name);
}

void Graph::SetConstant(ValueId id, std::shared_ptr<const Tensor> tensor) {
  assert(IsConstant(id) && tensor != nullptr && tensor->type() == value(id).type);
  values_[static_cast<size_t>(id)].constant = std::move(tensor);
}

std::vector<std::vector<int>> Graph::Readers() const {
  std::vector<std::vector<int>> readers(values_.size());
  for (size_t n = 0; n < nodes_.size(); ++n) {
    for (ValueId id : nodes_[n].inputs) readers[id].push_back(static_cast<int>(n));
  }
  return readers;
}

std::vector<int> Graph::Producers() const {
  std::vector<int> producers(values_.size(), -1);
  for (size_t n = 0; n < nodes_.size(); ++n) {
    for (ValueId id : nodes_[n].outputs) producers[id] = static_cast<int>(n);
  }
  return producers;
}

void Graph::RemoveUnused() {
  std::vector<bool> is_used(values_.size(), false);
  for (ValueId id : inputs_) is_used[id] = true;
  for (ValueId id : outputs_) is_used[id] = true;
  std::vector<Node> kept;
  for (size_t n = nodes_.size(); n-- > 0;) {
    bool is_read = false;
    for (ValueId id : nodes_[n].outputs) is_read = is_read || is_used[id];
    if (!is_read) continue;
    for (ValueId id : nodes_[n].inputs) is_used[id] = true;
    for (ValueId id : nodes_[n].outputs) is_used[id] = true;  // all outputs of a node stay
    kept.push_back(std::move(nodes_[n]));
  }
  nodes_.assign(std::make_move_iterator(kept.rbegin()), std::make_move_iterator(kept.rend()));

  std::vector<ValueId> renumbered(values_.size(), -1);
  std::vector<Value> values;
  for (size_t id = 0; id < values_.size(); ++id) {
    if (!is_used[id]) continue;
    renumbered[id] = static_cast<ValueId>(values.size());
    values.push_back(std::move(values_[id]));
  }
  values_ = std::move(values);
  const auto renumber = [&](std::vector<ValueId>* ids) {
    for (ValueId& id : *ids) id = renumbered[id];
  };
  renumber(&inputs_);
  renumber(&outputs_);
  for (Node& node : nodes_) {
    renumber(&node.inputs);
    renumber(&node.outputs);
  }
}

int64_t Graph::NumParameters() const {
  int64_t count = 0;
  for (const Value& value : values_) {
    if (value.constant != nullptr) count += value.constant->num_elements();
  }
  return count;
}

}  // namespace fettle
