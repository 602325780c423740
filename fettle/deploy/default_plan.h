#pragma once

#include <cstdint>

#include "fettle/network/graph.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/runtime/plan.h"

namespace fettle {

// The plan of a runtime without measurements (runtime/default_choices.h), for the graph's own batch
// or for another. Throws Error (kBadInput) where the network only works at the batch it has, or has
// no lowered form.
Plan DefaultPlan(const Graph& graph, DType precision, const PrimitiveList& primitives,
                 const Target& target);
Plan DefaultPlan(const Graph& graph, int64_t batch, DType precision,
                 const PrimitiveList& primitives, const Target& target);

}  // namespace fettle
