#pragma once

#include <vector>

#include "fettle/primitives/primitive_list.h"
#include "fettle/runtime/layer_graph.h"
#include "fettle/runtime/plan.h"

namespace fettle {

// How one layer is computed.
struct LayerChoice {
  DType precision = DType::kF32;
  Implementation implementation;  // of the layer's spec at that precision

  friend bool operator==(const LayerChoice&, const LayerChoice&) = default;
};

// A reorder between the two forms of a tensor, as a layer of its own.
LayerSpec ReorderSpec(const TensorType& from, const TensorType& to);

// Chooses the implementation of a reorder: (spec, input layout, output layout) -> implementation.
class ReorderChooser {
 public:
  virtual ~ReorderChooser() = default;
  virtual Implementation Choose(const LayerSpec& spec, Layout from, Layout to) const = 0;
};

// Takes the first in the list that supports it, the reference last. The list must outlive it.
class FirstReorder : public ReorderChooser {
 public:
  FirstReorder(const PrimitiveList& primitives, const Target& target)
      : primitives_(primitives), target_(target) {}
  Implementation Choose(const LayerSpec& spec, Layout from, Layout to) const override;

 private:
  const PrimitiveList& primitives_;
  Target target_;
};

// Lays out the steps: each layer by its choice (one for each layer, in order), the reorders that
// the choices make necessary (one for all readers that want the same form), weights converted.
Plan BuildPlan(const LayerGraph& graph, const std::vector<LayerChoice>& choices,
               const ReorderChooser& reorders, int threads);

// The same with steps that have none: enough to plan the memory.
Plan BuildPlanWithoutWeights(const LayerGraph& graph, const std::vector<LayerChoice>& choices,
                             const ReorderChooser& reorders, int threads);

// StoredWeightBytes of the plan with them; layers without weights are taken to share none.
int64_t StoredWeightBytes(const LayerGraph& graph, const std::vector<LayerChoice>& choices);

}  // namespace fettle
