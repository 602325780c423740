#include "fettle/tuner/candidate_costs.h"

#include <algorithm>
#include <set>
#include <span>

#include "fettle/deploy/lower.h"
#include "fettle/runtime/memory_plan.h"
#include "fettle/runtime/precision.h"
#include "fettle/tuner/fusion_choice.h"
#include "fettle/tuner/layer_entry.h"

namespace fettle {
namespace {

constexpr DType kPrecisions[] = {DType::kF32, DType::kBF16};

// The specs of a network's layers in each precision they can have, each once.
class SpecCollector {
 public:
  void Add(const LayerGraph& graph, std::span<const DType> precisions = kPrecisions) {
    for (const Layer& layer : graph.layers) {
      for (const DType dtype : precisions) {
        if (!CanHavePrecision(layer.spec, dtype)) continue;
        LayerSpec spec = AtPrecision(layer.spec, dtype);
        if (seen_.insert(KeyOf(spec)).second) specs_.push_back(std::move(spec));
      }
    }
  }
  // The composites that parts of it could be as well.
  void AddComposites(const LayerGraph& graph, ImplementationCatalog* catalog) {
    for (LayerSpec& spec :
         CompositesOf(graph, {std::begin(kPrecisions), std::end(kPrecisions)}, catalog)) {
      if (seen_.insert(KeyOf(spec)).second) specs_.push_back(std::move(spec));
    }
  }
  std::vector<LayerSpec> Take() { return std::move(specs_); }

 private:
  std::set<LayerKey> seen_;
  std::vector<LayerSpec> specs_;
};

LayerGraph LowerShapes(const TuningSpace& space, const Candidate& candidate) {
  return Lower(space.Shapes(candidate), {.shapes_only = true});
}

}  // namespace

std::vector<LayerSpec> LayersOf(const LayerGraph& graph, const std::vector<DType>& precisions) {
  SpecCollector collector;
  collector.Add(graph, precisions);
  return collector.Take();
}

std::vector<LayerSpec> ReordersOf(const LayerGraph& graph, const std::vector<DType>& precisions) {
  std::vector<Shape> shapes;
  for (const LayerTensor& tensor : graph.tensors) {
    const bool is_known = std::ranges::find(shapes, tensor.type.shape) != shapes.end();
    if (tensor.type.dtype == DType::kF32 && tensor.type.shape.size() == 4 && !is_known) {
      shapes.push_back(tensor.type.shape);
    }
  }
  std::ranges::stable_sort(shapes, {}, [](const Shape& shape) { return ElementCount(shape); });
  std::vector<Shape> chosen;
  for (const size_t index : {shapes.size() - 1, shapes.size() / 2, size_t{0}}) {
    if (index >= shapes.size()) continue;
    if (std::ranges::find(chosen, shapes[index]) == chosen.end()) chosen.push_back(shapes[index]);
  }
  std::vector<LayerSpec> specs;
  for (const Shape& shape : chosen) {
    for (const DType from : precisions) {
      for (const DType to : precisions) specs.push_back(ReorderSpec({from, shape}, {to, shape}));
    }
  }
  return specs;
}

CandidateCosts::CandidateCosts(const TuningSpace& space, CostStore* store,
                               ImplementationCatalog* catalog)
    : space_(space), store_(store), catalog_(catalog) {}

std::vector<LayerSpec> CandidateCosts::LayersToMeasure() const {
  SpecCollector collector;
  const LayerGraph original = Lower(space_.original());
  collector.Add(original);
  collector.AddComposites(original, catalog_);
  for (const auto kind : {TuningDecision::Kind::kWidth, TuningDecision::Kind::kVariant}) {
    for (size_t i = 0; i < space_.decisions().size(); ++i) {
      if (space_.decisions()[i].kind != kind) continue;
      for (int option = 1; option < space_.space().decisions()[i].num_options; ++option) {
        Candidate single = space_.space().Original();
        single.options[i] = option;
        const LayerGraph graph = LowerShapes(space_, single);
        collector.Add(graph);
        collector.AddComposites(graph, catalog_);
      }
    }
  }
  return collector.Take();
}

std::vector<LayerSpec> CandidateCosts::LayersOf(const Candidate& candidate) const {
  SpecCollector collector;
  const LayerGraph graph = LowerShapes(space_, candidate);
  collector.Add(graph);
  collector.AddComposites(graph, catalog_);
  return collector.Take();
}

std::vector<LayerSpec> CandidateCosts::ReordersToMeasure() const {
  return ReordersOf(Lower(space_.original()), {std::begin(kPrecisions), std::end(kPrecisions)});
}

std::vector<std::vector<DType>> CandidateCosts::AllowedFor(
    const LayerGraph& graph, const std::map<std::string, DType>& precisions) const {
  std::vector<DType> free = {DType::kF32};
  for (const auto& [layer, dtype] : precisions) {
    if (dtype != DType::kF32 && std::ranges::find(free, dtype) == free.end()) free.push_back(dtype);
  }
  std::vector<std::vector<DType>> allowed = AllowedPrecisions(graph, {DType::kF32}, free);
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    const DType* const precision = EntryOfLayer(precisions, graph.layers[i].name, space_.layers());
    if (precision != nullptr && MacsOf(graph.layers[i].spec) > 0 &&
        CanHavePrecision(graph.layers[i].spec, *precision)) {
      allowed[i] = {*precision};
    }
  }
  return allowed;
}

Selection CandidateCosts::Select(const LayerGraph& graph,
                                 const std::map<std::string, DType>& precisions) const {
  Known& known = WhatIsKnown();
  return PrimitiveSelector(graph, AllowedFor(graph, precisions), &known.options, known.reorders)
      .Select();
}

LayerGraph CandidateCosts::Lowered(const Candidate& candidate) const {
  if (!layers_) layers_.emplace(space_);
  return layers_->Of(candidate);
}

CandidateCosts::Known& CandidateCosts::WhatIsKnown() const {
  const int64_t version = store_->costs().version();
  if (!known_ || known_->version != version) {
    known_.emplace(catalog_, store_->costs());
  }
  return *known_;
}

Plan CandidateCosts::PlanOf(const LayerGraph& graph, const Selection& selection) const {
  return BuildPlan(graph, selection.choices, WhatIsKnown().reorders, catalog_->target().threads);
}

CandidateCosts::Prediction CandidateCosts::Predict(const Candidate& candidate) const {
  const LayerGraph graph = Lowered(candidate);
  const Selection selection = Select(graph, space_.Precisions(candidate));
  const Plan plan = BuildPlanWithoutWeights(graph, selection.choices, WhatIsKnown().reorders,
                                            catalog_->target().threads);
  std::vector<size_t> workspaces;
  size_t layers = 0;  // the steps are these, in order, and reorders among them
  for (const PlanStep& step : plan.steps) {
    const int64_t bytes =
        std::holds_alternative<Reorder>(step.spec.op)
            ? store_->costs().WorkspaceBytes(step.spec, step.implementation).value_or(0)
            : selection.workspace_bytes[layers++];
    workspaces.push_back(static_cast<size_t>(bytes));
  }
  int64_t bytes = StoredWeightBytes(graph, selection.choices);
  bytes += static_cast<int64_t>(PlanMemory(plan, workspaces).arena_bytes);
  for (const std::vector<int>& ids : {plan.inputs, plan.outputs}) {
    for (const int id : ids) {
      const TensorType& type = plan.tensors[static_cast<size_t>(id)].type;
      bytes += ElementCount(type) * static_cast<int64_t>(SizeOf(type.dtype));
    }
  }
  return {selection.predicted_ms, bytes};
}

double CandidateCosts::PredictedMs(const Candidate& candidate) const {
  return Select(Lowered(candidate), space_.Precisions(candidate)).predicted_ms;
}

}  // namespace fettle
