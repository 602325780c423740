#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/network/onnx/names.h"
#include "fettle/network/onnx/tensor_proto.h"

namespace fettle {

// What a name of the file stands for: a value known at import, or one of the graph.
struct Operand {
  std::string name;
  TensorType type;
  std::shared_ptr<const Tensor> constant;  // null unless known at import
  ValueId id = -1;                         // of the graph's value, where it is not a constant
};

// The graph as far as it has been imported, and what the file's names stand for. Constants enter
// the graph when a node first reads them, each once.
class ImportState {
 public:
  explicit ImportState(TensorSource source) : source_(std::move(source)) {}

  const TensorSource& source() const { return source_; }
  Graph& graph() { return graph_; }
  UniqueNames& node_names() { return node_names_; }
  UniqueNames& value_names() { return value_names_; }

  // An initializer, decoded (and then dropped from the file's message) when first asked for.
  void DefineInitializer(const std::string& name, onnx::TensorProto* proto);
  void Define(const std::string& name, Operand operand);
  // What a node computes that could not be imported.
  void DefineUnknown(const std::string& name) { unknown_.insert(name); }

  bool IsUnknown(const std::string& name) const { return unknown_.contains(name); }
  // Throws an Error where nothing of that name has been defined.
  const Operand& Get(const std::string& name);

  // A constant as an operand, checked to be modest.
  Operand ConstantOperand(std::string name, Tensor tensor) const;

  // The outputs of an operator, called `outputs`: computed at once where all inputs are known and
  // Fold can, otherwise by a node of that name.
  std::vector<Operand> Emit(const std::string& node, const Op& op,
                            const std::vector<Operand>& inputs,
                            const std::vector<std::string>& outputs);

  // The results computed at import may have so many bytes together as sizes ever need, and a few
  // times those of the file's own tensors: each of these is credited, each result charged before it
  // is allocated. Throws an Error where the file does not justify it.
  void Credit(const TensorType& stored);
  void ChargeFolding(const TensorType& result);

  ValueId IdOf(const Operand& operand);

 private:
  TensorSource source_;
  int64_t folding_budget_ = int64_t{16} << 20;  // bytes
  Graph graph_;
  UniqueNames node_names_, value_names_;
  std::unordered_map<std::string, onnx::TensorProto*> initializers_;
  std::unordered_map<std::string, Operand> operands_;
  std::unordered_set<std::string> unknown_;
  std::unordered_map<const Tensor*, ValueId> constants_;
};

}  // namespace fettle
