#pragma once

#include <map>
#include <string>
#include <vector>

#include "fettle/cost_models/primitive_selection.h"
#include "fettle/tuner/candidate_layers.h"
#include "fettle/tuner/cost_store.h"
#include "fettle/tuner/tuning_space.h"

namespace fettle {

// The layers of a network in each of these precisions that they can have, each once.
std::vector<LayerSpec> LayersOf(const LayerGraph& graph, const std::vector<DType>& precisions);

// The reorders that the costs of all others are predicted from: between all forms in these
// precisions, of a small, a middling and a large tensor of the network.
std::vector<LayerSpec> ReordersOf(const LayerGraph& graph, const std::vector<DType>& precisions);

// What candidates cost: each is lowered (candidate_layers.h), and its primitives and layouts are
// solved anew. Not thread-safe.
class CandidateCosts {
 public:
  // All outlive it.
  CandidateCosts(const TuningSpace& space, CostStore* store, ImplementationCatalog* catalog);

  // The layers of each structural change alone, both precisions of each: what single changes cost
  // is measured before anything is searched. In a fixed order, those of the original network first.
  std::vector<LayerSpec> LayersToMeasure() const;

  // Of one candidate, likewise: what a search asks for once it finds the candidate promising.
  std::vector<LayerSpec> LayersOf(const Candidate& candidate) const;

  // ReordersOf the original.
  std::vector<LayerSpec> ReordersToMeasure() const;

  // What each layer of a network may be computed in, given the precisions of its weighted layers:
  // that of the others follows.
  std::vector<std::vector<DType>> AllowedFor(const LayerGraph& graph,
                                             const std::map<std::string, DType>& precisions) const;

  // The best primitives for a network with these precisions of its weighted layers; the precision
  // of the others follows.
  Selection Select(const LayerGraph& graph, const std::map<std::string, DType>& precisions) const;

  // What layers cost alone.
  const LayerCosts& isolated() const { return store_->costs(); }
  ImplementationCatalog* catalog() const { return catalog_; }

  // The plan that a selection means.
  Plan PlanOf(const LayerGraph& graph, const Selection& selection) const;

  // Of the network's batch.
  double PredictedMs(const Candidate& candidate) const;

  struct Prediction {
    double ms = 0;
    int64_t memory_bytes = 0;
  };
  // The memory too, for which the plan is laid out: its arena with the scratch memory of the
  // kernels as it was measured (none where it was not), inputs and outputs, weights as stored.
  Prediction Predict(const Candidate& candidate) const;

 private:
  // By the costs as they were then.
  struct Known {
    Known(ImplementationCatalog* catalog, const MeasuredCosts& costs)
        : version(costs.version()), options(catalog, costs), reorders(catalog, costs) {}

    int64_t version;
    LayerOptions options;
    ReorderCosts reorders;
  };
  Known& WhatIsKnown() const;
  LayerGraph Lowered(const Candidate& candidate) const;

  const TuningSpace& space_;
  CostStore* store_;
  ImplementationCatalog* catalog_;
  mutable std::optional<Known> known_;
  mutable std::optional<CandidateLayers> layers_;  // made when a candidate is predicted
};

}  // namespace fettle
