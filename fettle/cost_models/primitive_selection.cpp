#include "fettle/cost_models/primitive_selection.h"

#include <algorithm>
#include <cassert>

#include "fettle/core/error.h"
#include "fettle/runtime/precision.h"

namespace fettle {
namespace {

Error NothingWorksFor(const Layer& layer) {
  return Error(ErrorKind::kDevice, Text("layer '", layer.name, "': no primitive that works for ",
                                        KeyOf(layer.spec).text));
}

std::vector<const OptionList*> ListsOf(const LayerGraph& graph,
                                       const std::vector<std::vector<DType>>& precisions,
                                       LayerOptions* options) {
  assert(precisions.size() == graph.layers.size());
  std::vector<const OptionList*> lists;
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    const OptionList& list = options->Of(graph.layers[i].spec, precisions[i]);
    if (list.options.empty()) throw NothingWorksFor(graph.layers[i]);
    lists.push_back(&list);
  }
  return lists;
}

Selection Read(const PbqpSolution& solution, const SelectionProblem& problem, size_t num_layers) {
  if (!solution.feasible) {
    throw Error(ErrorKind::kDevice, "no working choice of primitives for this network");
  }
  Selection selection;
  selection.predicted_ms = solution.cost;
  selection.exact = solution.exact;
  double measured = 0;
  for (size_t i = 0; i < num_layers; ++i) {
    const LayerOption& option = problem.list(i).options[static_cast<size_t>(solution.choice[i])];
    selection.choices.push_back(option.choice);
    selection.workspace_bytes.push_back(option.workspace_bytes);
    if (option.estimate.origin == EstimateOrigin::kMeasured) measured += option.estimate.ms;
  }
  selection.measured_share = solution.cost > 0 ? std::min(1.0, measured / solution.cost) : 0;
  return selection;
}

}  // namespace

PrimitiveSelector::PrimitiveSelector(const LayerGraph& graph,
                                     const std::vector<std::vector<DType>>& precisions,
                                     LayerOptions* options, const ReorderCosts& reorders)
    : graph_(graph),
      options_(options),
      problem_(graph, ListsOf(graph, precisions, options), reorders) {}

void PrimitiveSelector::SetPrecisions(size_t layer, const std::vector<DType>& precisions) {
  const OptionList& list = options_->Of(graph_.layers[layer].spec, precisions);
  if (list.options.empty()) throw NothingWorksFor(graph_.layers[layer]);
  problem_.SetList(layer, list);
}

Selection PrimitiveSelector::Select() {
  return Read(problem_.solver().Solve(), problem_, graph_.layers.size());
}

std::vector<Selection> PrimitiveSelector::SelectTop(int count) {
  std::vector<Selection> selections;
  // Several assignments may differ only in the further forms of tensors.
  for (const PbqpSolution& solution : problem_.solver().SolveTop(4 * count)) {
    Selection selection = Read(solution, problem_, graph_.layers.size());
    const auto is_same = [&](const Selection& other) { return other.choices == selection.choices; };
    if (std::ranges::any_of(selections, is_same)) continue;
    selections.push_back(std::move(selection));
    if (static_cast<int>(selections.size()) == count) break;
  }
  if (selections.empty()) selections.push_back(Select());
  return selections;
}

std::vector<Selection> SelectTop(int count, const LayerGraph& graph,
                                 const std::vector<std::vector<DType>>& precisions,
                                 ImplementationCatalog* catalog, const LayerCosts& costs,
                                 const ReorderCosts& reorders) {
  LayerOptions options(catalog, costs, count);
  return PrimitiveSelector(graph, precisions, &options, reorders).SelectTop(count);
}

Selection SelectPrimitives(const LayerGraph& graph,
                           const std::vector<std::vector<DType>>& precisions,
                           ImplementationCatalog* catalog, const LayerCosts& costs,
                           const ReorderCosts& reorders) {
  LayerOptions options(catalog, costs);
  return PrimitiveSelector(graph, precisions, &options, reorders).Select();
}

std::vector<std::vector<DType>> AllowedPrecisions(const LayerGraph& graph,
                                                  const std::vector<DType>& of_weighted,
                                                  const std::vector<DType>& of_others) {
  std::vector<std::vector<DType>> allowed;
  for (const Layer& layer : graph.layers) {
    std::vector<DType> precisions;
    for (const DType dtype : MacsOf(layer.spec) > 0 ? of_weighted : of_others) {
      if (CanHavePrecision(layer.spec, dtype)) precisions.push_back(dtype);
    }
    if (precisions.empty()) precisions.push_back(DType::kF32);
    allowed.push_back(std::move(precisions));
  }
  return allowed;
}

}  // namespace fettle
