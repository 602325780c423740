#pragma once

#include <vector>

#include "fettle/core/random.h"
#include "fettle/runtime/plan.h"

namespace fettle {

// A plan of activations and sums over tensors of random sizes, whose steps may run in place. Only
// its shape matters: for tests of the memory plan.
inline Plan RandomPlan(Random* random, std::vector<size_t>* workspace_bytes) {
  Plan plan;
  const auto add_tensor = [&](int64_t elements) {
    plan.tensors.push_back({"t", {DType::kF32, {1, elements}}, Layout::kPlain, nullptr});
    return static_cast<int>(plan.tensors.size()) - 1;
  };
  plan.inputs = {add_tensor(random->Integer(1, 100))};
  if (random->Chance(0.5)) {
    const int constant = add_tensor(random->Integer(1, 100));
    plan.tensors.back().constant = std::make_shared<Tensor>(plan.tensors.back().type);
    (void)constant;
  }
  const int64_t steps = random->Integer(1, 20);
  for (int64_t s = 0; s < steps; ++s) {
    PlanStep step;
    const int64_t reads = random->Integer(1, 3);
    for (int64_t i = 0; i < reads; ++i) {
      const int64_t newest = static_cast<int64_t>(plan.tensors.size()) - 1;
      const int64_t oldest = random->Chance(0.7) ? std::max<int64_t>(0, newest - 2) : 0;
      step.inputs.push_back(static_cast<int>(random->Integer(oldest, newest)));
    }
    if (random->Chance(0.6)) {
      step.implementation.in_place_input = random->Below(step.inputs.size());
    }
    const int like = step.inputs[0];
    const int64_t elements = random->Chance(0.6)
                                 ? plan.tensors[static_cast<size_t>(like)].type.shape[1]
                                 : random->Integer(1, 100);
    step.output = add_tensor(elements);
    plan.steps.push_back(std::move(step));
    workspace_bytes->push_back(random->Chance(0.3) ? random->Below(500) : 0);
  }
  plan.outputs = {plan.steps.back().output};
  if (random->Chance(0.3)) plan.outputs.push_back(plan.steps.front().output);
  return plan;
}

}  // namespace fettle
