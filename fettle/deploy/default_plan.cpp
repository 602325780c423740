#include "fettle/deploy/default_plan.h"

#include "fettle/deploy/lower.h"
#include "fettle/network/batch.h"
#include "fettle/runtime/default_choices.h"

namespace fettle {

Plan DefaultPlan(const Graph& graph, DType precision, const PrimitiveList& primitives,
                 const Target& target) {
  return DefaultPlan(Lower(graph), precision, primitives, target);
}

Plan DefaultPlan(const Graph& graph, int64_t batch, DType precision,
                 const PrimitiveList& primitives, const Target& target) {
  return DefaultPlan(WithBatch(graph, batch), precision, primitives, target);
}

}  // namespace fettle
