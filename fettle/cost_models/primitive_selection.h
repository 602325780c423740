#pragma once

#include <vector>

#include "fettle/cost_models/reorder_costs.h"
#include "fettle/runtime/layer_graph.h"
#include "fettle/runtime/plan_builder.h"

namespace fettle {

// The best primitives, layouts and precisions of one network, by a PBQP (pbqp_problem.h): a node
// for each layer, whose options are its implementations in each allowed precision, and a node for
// each tensor with several readers, whose options are the form in which it is computed and the one
// further form that it is also reordered to, so that readers who want the same pay once.
struct Selection {
  std::vector<LayerChoice> choices;  // one for each layer
  double predicted_ms = 0;           // layers and reorders
  double measured_share = 0;         // of predicted_ms, what comes from measurements on this device
  bool exact = false;                // proven best for these costs
};

// `precisions`: for each layer those allowed, at least one, each of which it CanHavePrecision.
// Throws Error (kDevice) where some layer has no working implementation.
Selection SelectPrimitives(const LayerGraph& graph,
                           const std::vector<std::vector<DType>>& precisions,
                           ImplementationCatalog* catalog, const LayerCosts& costs,
                           const ReorderCosts& reorders);

// The best with distinct choices, the best first: `count` of them, or fewer where they are hard to
// find.
std::vector<Selection> SelectTop(int count, const LayerGraph& graph,
                                 const std::vector<std::vector<DType>>& precisions,
                                 ImplementationCatalog* catalog, const LayerCosts& costs,
                                 const ReorderCosts& reorders);

// For each layer: `fixed` where it is weighted and can have it, otherwise anything that it can have
// among `free`: pooling and sums follow what is around them.
std::vector<std::vector<DType>> AllowedPrecisions(const LayerGraph& graph,
                                                  const std::vector<DType>& of_weighted,
                                                  const std::vector<DType>& of_others);

}  // namespace fettle
