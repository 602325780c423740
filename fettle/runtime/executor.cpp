#include "fettle/runtime/executor.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "fettle/core/error.h"
#include "fettle/core/threads.h"

namespace fettle {
namespace {

// Places hold inputs and constants too, which no step writes.
std::byte* ReadOnly(const Tensor& tensor) { return const_cast<std::byte*>(tensor.bytes()); }

}  // namespace

std::unique_ptr<Kernel> PrepareStep(const PlanStep& step, const PrimitiveList& primitives,
                                    const Target& target) {
  const std::string& name = step.implementation.name;
  const Primitive* primitive = primitives.Find(name);
  if (primitive == nullptr) {
    throw BadInput("layer '", step.layer, "': this build has no primitive '", name,
                   "'; deploy the configuration again with this version");
  }
  if (const Support support = primitive->Supports(step.spec, target); !support) {
    throw BadInput("layer '", step.layer, "': ", name, " does not take it on this device (",
                   support.reason, "); tune on this device instead");
  }
  const std::vector<Implementation> offered = primitive->Implementations(step.spec, target);
  if (std::ranges::find(offered, step.implementation) == offered.end()) {
    throw BadInput("layer '", step.layer, "': ", name, " version ", step.implementation.version,
                   " in these layouts is not offered on this device; tune on this device instead");
  }
  std::vector<const Tensor*> weights;
  for (const auto& weight : step.weights) weights.push_back(weight.get());
  return primitive->Prepare(step.spec, step.implementation, target, weights);
}

Executor::Executor(Plan plan, const PrimitiveList& primitives, const Target& target)
    : plan_(std::move(plan)), target_(target), places_(plan_.tensors.size(), nullptr) {
  const ThreadScope threads(target_.threads);
  std::vector<size_t> workspace_bytes;
  size_t most_inputs = 0;
  for (PlanStep& step : plan_.steps) {
    kernels_.push_back(PrepareStep(step, primitives, target_));
    step.weights.clear();  // the kernel has its own; with both, each weight would be held twice
    workspace_bytes.push_back(kernels_.back()->WorkspaceBytes());
    weight_bytes_ += static_cast<int64_t>(kernels_.back()->WeightBytes());
    most_inputs = std::max(most_inputs, step.inputs.size());
  }
  step_inputs_.resize(most_inputs);
  memory_ = PlanMemory(plan_, workspace_bytes);
  arena_ = Tensor(TensorType{DType::kU8, {static_cast<int64_t>(memory_.arena_bytes)}});
  for (size_t i = 0; i < plan_.tensors.size(); ++i) {
    const PlanTensor& tensor = plan_.tensors[i];
    if (tensor.constant) places_[i] = ReadOnly(*tensor.constant);
    if (memory_.offsets[i]) places_[i] = arena_.bytes() + *memory_.offsets[i];
  }
  for (size_t s = 0; s < plan_.steps.size(); ++s) {
    if (!memory_.runs_once[s]) continue;
    const auto output = static_cast<size_t>(plan_.steps[s].output);
    const PlanTensor& tensor = plan_.tensors[output];
    const int64_t bytes = PhysicalBytes(tensor.type, tensor.layout);
    computed_once_.emplace_back(TensorType{DType::kU8, {bytes}});
    places_[output] = computed_once_.back().bytes();
    RunStep(s);
    weight_bytes_ -= static_cast<int64_t>(kernels_[s]->WeightBytes());
    kernels_[s].reset();
  }
  FindCopiedOutputs();
}

void Executor::FindCopiedOutputs() {
  std::vector<bool> is_elsewhere(plan_.tensors.size());
  for (size_t i = 0; i < plan_.tensors.size(); ++i) {
    is_elsewhere[i] = plan_.tensors[i].constant != nullptr;
  }
  for (const int id : plan_.inputs) is_elsewhere[static_cast<size_t>(id)] = true;
  for (size_t s = 0; s < plan_.steps.size(); ++s) {
    if (memory_.runs_once[s]) is_elsewhere[static_cast<size_t>(plan_.steps[s].output)] = true;
  }
  for (const int id : plan_.outputs) {
    is_copied_.push_back(is_elsewhere[static_cast<size_t>(id)]);
    is_elsewhere[static_cast<size_t>(id)] = true;
  }
}

std::byte* Executor::Workspace(size_t step) {
  return arena_.bytes() + memory_.workspace_offsets[step];
}

void Executor::RunStep(size_t s) {
  const PlanStep& step = plan_.steps[s];
  for (size_t i = 0; i < step.inputs.size(); ++i) {
    step_inputs_[i] = places_[static_cast<size_t>(step.inputs[i])];
  }
  kernels_[s]->Run({step_inputs_.data(), step.inputs.size()},
                   places_[static_cast<size_t>(step.output)], Workspace(s));
}

void Executor::Run(std::span<const Tensor* const> inputs, std::span<Tensor* const> outputs,
                   const Observer& observer) {
  assert(inputs.size() == plan_.inputs.size() && outputs.size() == plan_.outputs.size());
  const ThreadScope threads(target_.threads);
  for (size_t i = 0; i < inputs.size(); ++i) {
    const auto id = static_cast<size_t>(plan_.inputs[i]);
    assert(inputs[i]->type() == plan_.tensors[id].type);
    places_[id] = ReadOnly(*inputs[i]);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto id = static_cast<size_t>(plan_.outputs[i]);
    assert(outputs[i]->type() == plan_.tensors[id].type);
    if (!is_copied_[i]) places_[id] = outputs[i]->bytes();
  }
  for (size_t s = 0; s < plan_.steps.size(); ++s) {
    if (!kernels_[s]) continue;  // its output is a constant
    RunStep(s);
    if (observer) observer(s);
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!is_copied_[i]) continue;
    std::memcpy(outputs[i]->bytes(), places_[static_cast<size_t>(plan_.outputs[i])],
                outputs[i]->num_bytes());
  }
}

std::vector<Tensor> Executor::Run(const std::vector<Tensor>& inputs) {
  if (inputs.size() != plan_.inputs.size()) {
    throw BadInput("the model has ", plan_.inputs.size(), " inputs, ", inputs.size(),
                   " were given");
  }
  std::vector<const Tensor*> input_pointers;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const PlanTensor& wanted = plan_.tensors[static_cast<size_t>(plan_.inputs[i])];
    if (inputs[i].type() != wanted.type) {
      throw BadInput("input '", wanted.name, "' is ", TypeText(wanted.type), ", not ",
                     TypeText(inputs[i].type()));
    }
    input_pointers.push_back(&inputs[i]);
  }
  std::vector<Tensor> outputs;
  for (const int id : plan_.outputs)
    outputs.emplace_back(plan_.tensors[static_cast<size_t>(id)].type);
  std::vector<Tensor*> output_pointers;
  for (Tensor& output : outputs) output_pointers.push_back(&output);
  Run(input_pointers, output_pointers);
  return outputs;
}

MemoryUse Executor::memory() const {
  MemoryUse use;
  use.arena = static_cast<int64_t>(memory_.arena_bytes);
  use.weights = weight_bytes_;
  for (const Tensor& tensor : computed_once_)
    use.weights += static_cast<int64_t>(tensor.num_bytes());
  for (const PlanTensor& tensor : plan_.tensors) {
    if (tensor.constant) use.weights += static_cast<int64_t>(tensor.constant->num_bytes());
  }
  for (const std::vector<int>* ids : {&plan_.inputs, &plan_.outputs}) {
    for (const int id : *ids) {
      use.inputs_outputs += ByteSize(plan_.tensors[static_cast<size_t>(id)].type);
    }
  }
  return use;
}

}  // namespace fettle
