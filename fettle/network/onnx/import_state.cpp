#include "fettle/network/onnx/import_state.h"

#include <onnx/onnx.pb.h>

#include <algorithm>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/shape_inference.h"
#include "fettle/network/onnx/fold.h"

namespace fettle {
namespace {

// More than any network needs; keeps work that is quadratic in the axes small.
constexpr size_t kMostAxes = 64;

void RequireModest(const TensorType& type) {
  if (type.shape.size() > kMostAxes) throw BadInput("a tensor of ", type.shape.size(), " axes");
}

}  // namespace

void ImportState::DefineInitializer(const std::string& name, onnx::TensorProto* proto) {
  initializers_.emplace(name, proto);
}

void ImportState::Define(const std::string& name, Operand operand) {
  RequireModest(operand.type);
  operands_.insert_or_assign(name, std::move(operand));
}

const Operand& ImportState::Get(const std::string& name) {
  const auto known = operands_.find(name);
  if (known != operands_.end()) return known->second;
  const auto stored = initializers_.find(name);
  if (stored == initializers_.end()) {
    throw BadInput("reads ", Quoted(name), ", which nothing computes");
  }
  try {
    Tensor tensor = DecodeTensor(*stored->second, source_);
    Credit(tensor.type());
    Define(name, ConstantOperand(name, std::move(tensor)));
  } catch (const Error& error) {
    throw BadInput("initializer ", Quoted(name), ": ", error.what());
  }
  stored->second->Clear();
  return operands_.at(name);
}

Operand ImportState::ConstantOperand(std::string name, Tensor tensor) const {
  TensorType type = tensor.type();
  RequireModest(type);
  return {std::move(name), std::move(type), std::make_shared<const Tensor>(std::move(tensor)), -1};
}

ValueId ImportState::IdOf(const Operand& operand) {
  if (operand.constant == nullptr) return operand.id;
  const auto [place, is_new] = constants_.try_emplace(operand.constant.get(), -1);
  if (is_new) place->second = graph_.AddConstant(operand.name, operand.constant);
  return place->second;
}

void ImportState::Credit(const TensorType& stored) {
  constexpr int64_t kTimes = 8;
  folding_budget_ += kTimes * ByteSize(stored);
}

void ImportState::ChargeFolding(const TensorType& result) {
  RequireModest(result);
  const std::optional<int64_t> count = CheckedElementCount(result.shape);
  if (!count || *count > folding_budget_ / static_cast<int64_t>(SizeOf(result.dtype))) {
    throw BadInput("its result ", TypeText(result),
                   " is known at import, but too large for a file of this size");
  }
  folding_budget_ -= ByteSize(result);
}

std::vector<Operand> ImportState::Emit(const std::string& node, const Op& op,
                                       const std::vector<Operand>& inputs,
                                       const std::vector<std::string>& outputs) {
  std::vector<TensorType> input_types;
  std::vector<const Tensor*> constants;
  for (const Operand& input : inputs) {
    input_types.push_back(input.type);
    if (input.constant != nullptr) constants.push_back(input.constant.get());
  }
  const std::vector<TensorType> types = InferTypes(op, input_types);
  std::vector<Operand> results;
  if (constants.size() == inputs.size() && CanFold(op, input_types)) {
    for (const TensorType& type : types) ChargeFolding(type);
    std::vector<Tensor> tensors = Fold(op, constants, types);
    for (size_t i = 0; i < tensors.size(); ++i) {
      results.push_back(ConstantOperand(outputs.at(i), std::move(tensors[i])));
    }
    return results;
  }
  std::vector<ValueId> ids;
  for (const Operand& input : inputs) ids.push_back(IdOf(input));
  const std::vector<ValueId> output_ids = graph_.AddNode(node, op, ids);
  for (size_t i = 0; i < output_ids.size(); ++i) {
    graph_.Rename(output_ids[i], outputs.at(i));
    results.push_back({outputs[i], types[i], nullptr, output_ids[i]});
  }
  return results;
}

}  // namespace fettle
