#include "fettle/network/onnx/node_import.h"

#include <onnx/onnx.pb.h>

#include <algorithm>
#include <cmath>

#include "fettle/network/onnx/element_types.h"
#include "fettle/network/onnx/fold.h"

namespace fettle {

NodeImport::NodeImport(const onnx::NodeProto& proto, std::string name, int64_t opset,
                       const std::unordered_set<std::string>& read, ImportState* state)
    : name_(std::move(name)),
      op_type_(proto.op_type()),
      opset_(opset),
      read_(read),
      state_(state),
      attributes_(proto),
      inputs_(proto.input().begin(), proto.input().end()),
      outputs_(proto.output().begin(), proto.output().end()) {
  while (!inputs_.empty() && inputs_.back().empty()) inputs_.pop_back();
}

const Operand& NodeImport::Input(size_t i) const {
  if (!Has(i)) throw BadInput("has no input ", i);
  if (state_->IsUnknown(inputs_[i])) throw UnknownInput();
  return state_->Get(inputs_[i]);
}

std::vector<Operand> NodeImport::Inputs() const {
  std::vector<Operand> operands;
  for (size_t i = 0; i < num_inputs(); ++i) operands.push_back(Input(i));
  return operands;
}

const Tensor& NodeImport::ConstantInput(size_t i, std::string_view what) const {
  const Operand& operand = Input(i);
  if (operand.constant == nullptr) {
    throw Refuse("its ", what, " (", Quoted(operand.name), ") is only known at run time");
  }
  return *operand.constant;
}

std::vector<int64_t> NodeImport::IntsInput(size_t i, std::string_view what) const {
  const Tensor& tensor = ConstantInput(i, what);
  if (tensor.shape().size() > 1) throw BadInput("its ", what, " is ", TypeText(tensor.type()));
  if (tensor.dtype() == DType::kI64) {
    const auto values = tensor.values<int64_t>();
    return {values.begin(), values.end()};
  }
  if (tensor.dtype() == DType::kI32) {
    const auto values = tensor.values<int32_t>();
    return {values.begin(), values.end()};
  }
  throw BadInput("its ", what, " is ", TypeText(tensor.type()), ", expected i64");
}

const Tensor& NodeImport::HostInput(size_t i) const {
  const Operand& operand = Input(i);
  if (operand.constant == nullptr) {
    throw Refuse(op_type_, " is only computed at import, and its input ", Quoted(operand.name),
                 " is only known at run time");
  }
  return *operand.constant;
}

float NodeImport::FloatInput(size_t i, std::string_view what) const {
  const Tensor& tensor = ConstantInput(i, what);
  if (tensor.num_elements() != 1) {
    throw BadInput("its ", what, " is ", TypeText(tensor.type()), ", expected one number");
  }
  float value = 0;
  if (tensor.dtype() == DType::kF16) {
    value = FromF16(tensor.values<uint16_t>()[0]);
  } else if (tensor.dtype() == DType::kBF16) {
    value = FromBF16(tensor.values<uint16_t>()[0]);
  } else {
    value = std::visit([](const auto& list) { return static_cast<float>(list[0]); },
                       *NumbersOf(tensor));
  }
  if (std::isnan(value)) throw BadInput("its ", what, " is not a number");
  return value;
}

std::optional<std::vector<int64_t>> NodeImport::IntsOf(std::string_view attribute, size_t input,
                                                       int64_t since) const {
  if (opset_ < since) return attributes_.Ints(attribute);
  if (!Has(input)) return std::nullopt;
  return IntsInput(input, attribute);
}

bool NodeImport::IsRead(size_t output) const {
  return output < outputs_.size() && read_.contains(outputs_[output]);
}

std::string NodeImport::NodeName(std::string_view suffix) const {
  return suffix.empty() ? name_ : state_->node_names().Make(Text(name_, "/", suffix));
}

void NodeImport::Emit(const Op& op, const std::vector<Operand>& inputs, std::string_view suffix) {
  std::vector<std::string> names = outputs_;
  size_t computed = 1;
  if (const auto* split = std::get_if<Split>(&op)) computed = split->sizes.size();
  names.resize(computed);
  for (size_t i = 0; i < computed; ++i) {
    if (names[i].empty()) names[i] = state_->value_names().Make(Text(name_, ":", i));
  }
  std::vector<Operand> results = state_->Emit(NodeName(suffix), op, inputs, names);
  for (size_t i = 0; i < results.size(); ++i) SetOutput(i, std::move(results[i]));
}

Operand NodeImport::Step(const Op& op, const std::vector<Operand>& inputs,
                         std::string_view suffix) {
  const std::string node = NodeName(suffix);
  return state_->Emit(node, op, inputs, {state_->value_names().Make(node)})[0];
}

void NodeImport::SetOutput(size_t i, Operand operand) {
  if (i < outputs_.size() && !outputs_[i].empty()) state_->Define(outputs_[i], std::move(operand));
}

void NodeImport::SetConstant(Tensor tensor) {
  if (outputs_.empty()) return;
  SetOutput(0, state_->ConstantOperand(outputs_[0], std::move(tensor)));
}

int64_t ResolvedAxis(int64_t axis, int64_t rank) {
  const int64_t resolved = axis < 0 ? axis + rank : axis;
  if (resolved < 0 || resolved >= rank) throw BadInput("axis ", axis, " of ", rank, " axes");
  return resolved;
}

std::vector<int64_t> ResolvedAxes(std::vector<int64_t> axes, int64_t rank) {
  for (int64_t& axis : axes) axis = ResolvedAxis(axis, rank);
  std::sort(axes.begin(), axes.end());
  const auto twice = std::adjacent_find(axes.begin(), axes.end());
  if (twice != axes.end()) throw BadInput("axis ", *twice, " twice");
  return axes;
}

}  // namespace fettle
