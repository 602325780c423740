#pragma once

#include <vector>

#include "fettle/cost_models/layer_options.h"
#include "fettle/cost_models/reorder_costs.h"
#include "fettle/cost_models/selection_problem.h"
#include "fettle/runtime/layer_graph.h"
#include "fettle/runtime/plan_builder.h"

namespace fettle {

// The best primitives, layouts and precisions of one network, by a PBQP (selection_problem.h).
struct Selection {
  std::vector<LayerChoice> choices;  // one for each layer
  double predicted_ms = 0;           // layers and reorders
  double measured_share = 0;         // of predicted_ms, what comes from measurements on this device
  bool exact = false;                // proven best for these costs
  std::vector<int64_t> workspace_bytes;  // of each choice; 0 where it is not known
};

// For a network whose layers change their allowed precisions one after another, and for many
// networks that share the options of their layers.
class PrimitiveSelector {
 public:
  // `precisions`: for each layer those allowed, at least one, each of which it CanHavePrecision.
  // All but these outlive it. Throws Error (kDevice) where some layer has no working
  // implementation.
  PrimitiveSelector(const LayerGraph& graph, const std::vector<std::vector<DType>>& precisions,
                    LayerOptions* options, const ReorderCosts& reorders);

  // Throws as above; then the layer is as it was. Select() then solves again what this touches.
  void SetPrecisions(size_t layer, const std::vector<DType>& precisions);

  // Throws Error (kDevice) where there is no way at all.
  Selection Select();

  // See SelectTop below; of `options` made for so many.
  std::vector<Selection> SelectTop(int count);

 private:
  const LayerGraph& graph_;
  LayerOptions* options_;
  SelectionProblem problem_;
};

// For one network.
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
