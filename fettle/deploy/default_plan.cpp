#include "fettle/deploy/default_plan.h"

#include "fettle/deploy/lower.h"
#include "fettle/network/batch.h"
#include "fettle/runtime/default_choices.h"

namespace fettle {

Plan DefaultPlan(const Graph& graph, DType precision, const PrimitiveList& primitives,
                 const Target& target) {
  const LayerGraph layers = Lower(graph);
  return BuildPlan(layers, DefaultChoices(layers, precision, primitives, target),
                   FirstReorder(primitives, target), target.threads);
}

Plan DefaultPlan(const Graph& graph, int64_t batch, DType precision,
                 const PrimitiveList& primitives, const Target& target) {
  return DefaultPlan(WithBatch(graph, batch), precision, primitives, target);
}

}  // namespace fettle
