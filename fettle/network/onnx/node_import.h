#pragma once

#include <cstdint>
#include <exception>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/network/onnx/attributes.h"
#include "fettle/network/onnx/import_state.h"

namespace fettle {

// Why an operator, or this use of it, is not supported. Thrown by importers, collected by
// ModelImport; a damaged file is an Error instead.
struct Refusal : std::exception {
  explicit Refusal(std::string text) : reason(std::move(text)) {}
  const char* what() const noexcept override { return reason.c_str(); }

  std::string reason;
};

template <typename... Parts>
Refusal Refuse(const Parts&... parts) {
  return Refusal(Text(parts...));
}

// An input comes from a node that was refused: nothing more can be said of this one.
struct UnknownInput : std::exception {};

// One ONNX node while it is imported: what an importer reads, and where it puts its results.
// Importers look at the attributes first, so that what is refused for its attributes is found even
// behind a node that was refused. Errors and refusals need not name the node; the caller does.
class NodeImport {
 public:
  // `read` are the names that nodes or the model's outputs read.
  NodeImport(const onnx::NodeProto& proto, std::string name, int64_t opset,
             const std::unordered_set<std::string>& read, ImportState* state);

  const std::string& op_type() const { return op_type_; }
  int64_t opset() const { return opset_; }
  const Attributes& attributes() const { return attributes_; }
  ImportState& state() const { return *state_; }

  size_t num_inputs() const { return inputs_.size(); }  // the trailing absent ones not counted
  bool Has(size_t i) const { return i < inputs_.size() && !inputs_[i].empty(); }
  const Operand& Input(size_t i) const;
  std::vector<Operand> Inputs() const;
  const TensorType& InputType(size_t i) const { return Input(i).type; }
  int64_t Rank(size_t i) const { return static_cast<int64_t>(InputType(i).shape.size()); }

  // The values of an input that must be known at import; `what` says in a refusal what it is.
  const Tensor& ConstantInput(size_t i, std::string_view what) const;
  std::vector<int64_t> IntsInput(size_t i, std::string_view what) const;  // i32 or i64
  float FloatInput(size_t i, std::string_view what) const;                // one number

  // An input of an operator that is only computed at import, never by the network.
  const Tensor& HostInput(size_t i) const;

  // An attribute in the opsets before `since`, an input from then on; nothing where absent.
  std::optional<std::vector<int64_t>> IntsOf(std::string_view attribute, size_t input,
                                             int64_t since) const;

  size_t num_outputs() const { return outputs_.size(); }
  bool IsRead(size_t output) const;

  // A node that computes the outputs, in their order: called as the ONNX node, or "name/suffix".
  void Emit(const Op& op, const std::vector<Operand>& inputs, std::string_view suffix = "");
  void Emit(const Op& op) { Emit(op, Inputs()); }
  // A node on the way there, with one output.
  Operand Step(const Op& op, const std::vector<Operand>& inputs, std::string_view suffix = "");
  void SetOutput(size_t i, Operand operand);
  void SetConstant(Tensor tensor);  // the first output, known at import

 private:
  std::string NodeName(std::string_view suffix) const;

  std::string name_, op_type_;
  int64_t opset_;
  const std::unordered_set<std::string>& read_;
  ImportState* state_;
  Attributes attributes_;
  std::vector<std::string> inputs_, outputs_;
};

// axis + rank where negative; throws an Error unless within [0, rank) then.
int64_t ResolvedAxis(int64_t axis, int64_t rank);
// Each resolved, ascending, without doubles.
std::vector<int64_t> ResolvedAxes(std::vector<int64_t> axes, int64_t rank);

}  // namespace fettle
