#include "fettle/core/layer_check.h"

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/core/shape_inference.h"

namespace fettle {
namespace {

// In f32 what may be in bf16, so that mixed layers can be inferred like others.
TensorType Widened(TensorType type) {
  if (type.dtype == DType::kBF16) type.dtype = DType::kF32;
  return type;
}

std::optional<std::string> FaultOfPrecision(const LayerSpec& spec) {
  if (std::holds_alternative<Reorder>(spec.op) || std::holds_alternative<Cast>(spec.op)) {
    return std::nullopt;
  }
  const auto is_bf16 = [](const TensorType& type) { return type.dtype == DType::kBF16; };
  const bool wants_bf16 = is_bf16(spec.output);
  for (const TensorType& input : spec.inputs) {
    if (is_bf16(input) != wants_bf16) return Text("an input is ", TypeText(input));
  }
  for (size_t i = 0; i < spec.weights.size(); ++i) {
    if (is_bf16(spec.weights[i]) != (wants_bf16 && IsMatrix(spec.op, i))) {
      return Text("weight ", i, " is ", TypeText(spec.weights[i]));
    }
  }
  return std::nullopt;
}

std::optional<std::string> FaultOfZeros(const LayerSpec& spec) {
  if (!(spec.density >= 0 && spec.density <= 1)) return Text("the density is ", spec.density);
  if (spec.sparse_block == 1) return std::nullopt;
  if (spec.density == 1) return Text("blocks of ", spec.sparse_block, " zeros, and none");
  const bool has_rows = !spec.weights.empty() && !spec.weights[0].shape.empty();
  if (!has_rows || spec.sparse_block < 1 || spec.sparse_block > spec.weights[0].shape[0]) {
    return Text("blocks of ", spec.sparse_block, " zeros");
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FaultOf(const LayerSpec& spec) {
  if (spec.inputs.empty()) return "there are no inputs";
  if (auto fault = FaultOfZeros(spec)) return fault;
  size_t operands = spec.inputs.size();
  if (spec.adds_residual) {
    --operands;
    if (operands == 0) return "there is no input beside the residual";
    if (spec.inputs.back() != spec.output) {
      return Text("the residual is ", TypeText(spec.inputs.back()), ", the output ",
                  TypeText(spec.output));
    }
  }
  if (auto fault = FaultOfPrecision(spec)) return fault;

  if (std::holds_alternative<InnerProduct>(spec.op) && spec.weights.size() > 1 &&
      !spec.output.shape.empty() && spec.weights[1].shape != Shape{spec.output.shape.back()}) {
    return Text("the bias is ", TypeText(spec.weights[1]));
  }
  if (std::holds_alternative<InvertedResidual>(spec.op) && operands != 1) {
    return Text(operands, " inputs, of which only the first is no weight");
  }
  const bool is_reorder = std::holds_alternative<Reorder>(spec.op);
  const auto form = [&](const TensorType& type) { return is_reorder ? type : Widened(type); };
  std::vector<TensorType> inputs;
  for (size_t i = 0; i < operands; ++i) inputs.push_back(form(spec.inputs[i]));
  for (const TensorType& weight : spec.weights) inputs.push_back(form(weight));
  try {
    const std::vector<TensorType> outputs = InferTypes(spec.op, inputs);
    if (outputs.size() != 1) return Text("the operator has ", outputs.size(), " outputs");
    const bool converts = is_reorder || std::holds_alternative<Cast>(spec.op);
    if (outputs[0].shape != spec.output.shape ||
        (!converts && outputs[0].dtype != form(spec.output).dtype)) {
      return Text("the output is ", TypeText(spec.output), ", expected ", TypeText(outputs[0]));
    }
  } catch (const Error& error) {
    return error.what();
  }
  return std::nullopt;
}

}  // namespace fettle
