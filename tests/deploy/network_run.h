#pragma once

#include <vector>

#include "fettle/deploy/lower.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/executor.h"

namespace fettle {

// A network lowered, planned with the default primitives and run once.
inline std::vector<Tensor> RunNetwork(const Graph& graph, const std::vector<Tensor>& inputs,
                                      DType precision = DType::kF32) {
  static const PrimitiveList primitives = PrimitiveList::All();
  const Target target = HostTarget(2);
  const LayerGraph lowered = Lower(graph);
  Executor executor(BuildPlan(lowered, DefaultChoices(lowered, precision, primitives, target),
                              FirstReorder(primitives, target), target.threads),
                    primitives, target);
  return executor.Run(inputs);
}

}  // namespace fettle
