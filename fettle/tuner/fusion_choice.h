#pragma once

#include <string>
#include <vector>

#include "fettle/cost_models/implementation_catalog.h"
#include "fettle/cost_models/layer_costs.h"
#include "fettle/runtime/layer_graph.h"
#include "fettle/runtime/plan.h"

namespace fettle {

// Which blocks of a network are computed as composite layers (deploy/fuse_inverted_residual.h).

// The composites that compete with their parts, in each of these precisions that they can have,
// each once: those that a primitive other than the reference computes, of those that the catalog is
// restricted to.
std::vector<LayerSpec> CompositesOf(const LayerGraph& graph, const std::vector<DType>& precisions,
                                    ImplementationCatalog* catalog);

struct FusedNetwork {
  LayerGraph graph;
  std::vector<std::vector<DType>> precisions;  // allowed, for each layer
  double predicted_ms = 0;                     // of the best choice of primitives
  int blocks = 0;                              // fused
};

// Fuses a block exactly where that lowers what the best choice of primitives for the whole network
// costs (primitive_selection.h), so that a fusion is charged for the reorders that it makes
// necessary. One block after another, each against its other forms, until none changes any more;
// what only pays where two blocks are fused at once is not found.
//
// A composite may have the precisions that all its parts may have, and is considered where all its
// implementations have been measured: what is predicted of a composite comes from others of quite
// another size. Throws as SelectPrimitives.
FusedNetwork FuseWhereItPays(LayerGraph graph, std::vector<std::vector<DType>> precisions,
                             ImplementationCatalog* catalog, const LayerCosts& costs);

// The names of the layers of the network that a step of its plan computes, in order: several where
// it is a composite.
std::vector<std::string> LayersOfStep(const LayerGraph& graph, const PlanStep& step);

}  // namespace fettle
