#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "fettle/core/op.h"
#include "fettle/core/tensor.h"

namespace fettle {

using ValueId = int32_t;

// A tensor of the network: an input, a constant (a weight), or what a node computes.
struct Value {
  std::string name;
  TensorType type;
  std::shared_ptr<const Tensor> constant;  // shared between copies of the graph; else null
};

struct Node {
  std::string name;  // unique, not empty
  Op op;
  std::vector<ValueId> inputs;  // in the order that op.h states
  std::vector<ValueId> outputs;
};

// The model as imported, batch norm and every trainable part kept; folding and fusion happen in
// deploy/. Nodes stand in an order in which each value is computed before it is read. Copies are
// cheap: weights are shared and never changed in place.
class Graph {
 public:
  ValueId AddInput(std::string name, TensorType type);
  ValueId AddConstant(std::string name, Tensor tensor);
  ValueId AddConstant(std::string name, std::shared_ptr<const Tensor> tensor);

  // Appends a node and its outputs, typed by InferTypes; throws its Error, with the node named. The
  // outputs are called `name`, or `name:i` where there are several.
  std::vector<ValueId> AddNode(std::string name, Op op, std::vector<ValueId> inputs);

  void AddOutput(ValueId value);

  const std::vector<Node>& nodes() const { return nodes_; }
  const std::vector<ValueId>& inputs() const { return inputs_; }
  const std::vector<ValueId>& outputs() const { return outputs_; }
  const Value& value(ValueId id) const { return values_.at(static_cast<size_t>(id)); }
  size_t num_values() const { return values_.size(); }
  bool IsConstant(ValueId id) const { return value(id).constant != nullptr; }

  void Rename(ValueId id, std::string name);

  // Other values for a constant, of the same type; copies of the graph keep theirs.
  void SetConstant(ValueId id, std::shared_ptr<const Tensor> tensor);

  // The indices of the nodes that read each value, ascending, a node once for each reading input.
  std::vector<std::vector<int>> Readers() const;
  // The index of the node that computes each value; -1 for inputs and constants.
  std::vector<int> Producers() const;

  // Drops the nodes whose outputs nothing reads, directly or not, and the constants left over.
  // Invalidates every ValueId; the model's inputs all stay.
  void RemoveUnused();

  // Elements of all constants.
  int64_t NumParameters() const;

  // What the file said about itself, kept when it is written again.
  std::map<std::string, std::string> metadata;

 private:
  ValueId AddValue(Value value);

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_, outputs_;
};

}  // namespace fettle
