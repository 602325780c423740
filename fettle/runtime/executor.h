#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "fettle/core/tensor.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/runtime/memory_plan.h"
#include "fettle/runtime/plan.h"

namespace fettle {

// Bytes, as planned and prepared.
struct MemoryUse {
  int64_t arena = 0;           // activations and workspace
  int64_t inputs_outputs = 0;  // the caller's
  int64_t weights = 0;         // as executed: packed, transformed; and constants
  int64_t total() const { return arena + inputs_outputs + weights; }
};

// Runs a plan, again and again, for one caller at a time. Owns the kernels and the arena.
class Executor {
 public:
  // Prepares every kernel, by the names in the plan, and lets go of the weights that it was
  // prepared from, one after another; throws Error (kBadInput) where the list has no such primitive
  // or it does not offer the implementation on this target any more.
  Executor(Plan plan, const PrimitiveList& primitives, const Target& target);

  const Plan& plan() const { return plan_; }  // its steps without weights
  MemoryUse memory() const;

  // Called after each step with its index.
  using Observer = std::function<void(size_t step)>;

  // Inputs and outputs in the plan's order, of its types (asserted). Inputs are only read.
  void Run(std::span<const Tensor* const> inputs, std::span<Tensor* const> outputs,
           const Observer& observer = {});

  // The same, checked: throws Error (kBadInput) with both types where the inputs do not fit.
  std::vector<Tensor> Run(const std::vector<Tensor>& inputs);

 private:
  void FindCopiedOutputs();
  std::byte* Workspace(size_t step);
  void RunStep(size_t step);

  Plan plan_;
  Target target_;
  std::vector<std::unique_ptr<Kernel>> kernels_;  // null for steps that ran once
  MemoryPlan memory_;
  std::vector<Tensor> computed_once_;
  Tensor arena_;
  std::vector<std::byte*> places_;  // of each tensor; those of inputs and constants only read
  // Whether an output is copied at the end: one that is an input, a constant, computed once, or
  // given before. The others are computed in the caller's memory.
  std::vector<bool> is_copied_;
  std::vector<const std::byte*> step_inputs_;
  int64_t weight_bytes_ = 0;
};

// A plan's steps with values that stand for themselves: the kernel a step asks for. Throws as
// Executor does.
std::unique_ptr<Kernel> PrepareStep(const PlanStep& step, const PrimitiveList& primitives,
                                    const Target& target);

}  // namespace fettle
