#include "fettle/runtime/plan_check.h"

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/core/layer_check.h"

namespace fettle {
namespace {

using Fault = std::optional<std::string>;

constexpr int kMostThreads = 1024;

bool IsIndex(int id, const Plan& plan) {
  return id >= 0 && static_cast<size_t>(id) < plan.tensors.size();
}

Fault FaultOfTensors(const Plan& plan) {
  for (const PlanTensor& tensor : plan.tensors) {
    const std::optional<int64_t> count = CheckedElementCount(tensor.type.shape);
    if (!count || *count > (int64_t{1} << 40)) {
      return Text("tensor '", tensor.name, "' is ", TypeText(tensor.type));
    }
    if (!CanHave(tensor.type.shape, tensor.layout)) {
      return Text("tensor '", tensor.name, "', ", TypeText(tensor.type), ", cannot be ",
                  NameOf(tensor.layout));
    }
    if (tensor.constant && tensor.layout != Layout::kPlain) {
      return Text("constant '", tensor.name, "' is not in plain layout");
    }
  }
  return std::nullopt;
}

Fault FaultOfOperand(const PlanTensor& tensor, const TensorType& type, Layout layout) {
  if (tensor.type == type && tensor.layout == layout) return std::nullopt;
  return Text("tensor '", tensor.name, "' is ", TypeText(tensor.type), " ", NameOf(tensor.layout),
              " where ", TypeText(type), " ", NameOf(layout), " is read or written");
}

Fault FaultOfStep(const PlanStep& step, const Plan& plan, std::vector<bool>* is_known) {
  if (Fault fault = FaultOf(step.spec)) return fault;
  const Implementation& implementation = step.implementation;
  const size_t count = step.spec.inputs.size();
  if (step.inputs.size() != count || implementation.inputs.size() != count) {
    return Text("it has ", step.inputs.size(), " inputs and ", implementation.inputs.size(),
                " layouts for ", count);
  }
  if (implementation.in_place_input && *implementation.in_place_input >= count) {
    return Text("there is no input ", *implementation.in_place_input, " to run in place of");
  }
  for (size_t i = 0; i < count; ++i) {
    if (!IsIndex(step.inputs[i], plan) || !(*is_known)[static_cast<size_t>(step.inputs[i])]) {
      return Text("input ", i, " is not there when it is read");
    }
    if (Fault fault = FaultOfOperand(plan.tensors[static_cast<size_t>(step.inputs[i])],
                                     step.spec.inputs[i], implementation.inputs[i])) {
      return fault;
    }
  }
  if (!IsIndex(step.output, plan) || (*is_known)[static_cast<size_t>(step.output)]) {
    return Text("its output, tensor ", step.output, ", is missing or has a value already");
  }
  (*is_known)[static_cast<size_t>(step.output)] = true;
  if (step.weights.size() != step.spec.weights.size()) {
    return Text("it has ", step.weights.size(), " weights for ", step.spec.weights.size());
  }
  for (size_t i = 0; i < step.weights.size(); ++i) {
    if (step.weights[i]->type() != step.spec.weights[i]) {
      return Text("weight ", i, " is ", TypeText(step.weights[i]->type()));
    }
  }
  return FaultOfOperand(plan.tensors[static_cast<size_t>(step.output)], step.spec.output,
                        implementation.output);
}

}  // namespace

Fault FaultOf(const Plan& plan) {
  if (plan.threads < 1 || plan.threads > kMostThreads)
    return Text("it is made for ", plan.threads, " threads");
  if (Fault fault = FaultOfTensors(plan)) return fault;
  std::vector<bool> is_known(plan.tensors.size());
  for (size_t i = 0; i < plan.tensors.size(); ++i)
    is_known[i] = plan.tensors[i].constant != nullptr;
  for (const int id : plan.inputs) {
    if (!IsIndex(id, plan) || is_known[static_cast<size_t>(id)]) {
      return Text("input tensor ", id, " is missing, a constant or given twice");
    }
    is_known[static_cast<size_t>(id)] = true;
  }
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    if (Fault fault = FaultOfStep(plan.steps[s], plan, &is_known)) {
      return Text("step ", s, " ('", plan.steps[s].layer, "'): ", *fault);
    }
  }
  for (const int id : plan.outputs) {
    if (!IsIndex(id, plan) || !is_known[static_cast<size_t>(id)]) {
      return Text("output tensor ", id, " is never computed");
    }
  }
  for (const std::vector<int>* ids : {&plan.inputs, &plan.outputs}) {
    for (const int id : *ids) {
      if (plan.tensors[static_cast<size_t>(id)].layout != Layout::kPlain) {
        return Text("an input or output is not in plain layout");
      }
    }
  }
  return std::nullopt;
}

}  // namespace fettle
