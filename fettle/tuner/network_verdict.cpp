#include "fettle/tuner/network_verdict.h"

#include <algorithm>
#include <iterator>

#include "fettle/core/error.h"
#include "fettle/core/statistics.h"
#include "fettle/runtime/precision.h"
#include "fettle/tuner/plan_folders.h"

namespace fettle {
std::vector<NetworkVerdict::Entrant> NetworkVerdict::Propose(
    int count, const LayerGraph& graph, const std::vector<std::vector<DType>>& precisions,
    const std::vector<std::vector<LayerChoice>>& tried) const {
  const ReorderCosts reorders(catalog_, *costs_);
  std::vector<Entrant> entrants;
  for (Selection& selection : SelectTop(count, graph, precisions, catalog_, *costs_, reorders)) {
    if (std::ranges::find(tried, selection.choices) != tried.end()) continue;
    Plan plan = BuildPlan(graph, selection.choices, reorders, catalog_->target().threads);
    entrants.push_back({std::move(selection), std::move(plan)});
  }
  return entrants;
}

// Those among which every layer is known to work, or at least not known to fail.
void NetworkVerdict::AddGiven(const LayerGraph& graph,
                              const std::vector<std::vector<LayerChoice>>& given,
                              std::vector<Entrant>* entrants) const {
  const ReorderCosts reorders(catalog_, *costs_);
  for (const std::vector<LayerChoice>& choices : given) {
    bool is_sound = std::ranges::none_of(
        *entrants, [&](const Entrant& each) { return each.selection.choices == choices; });
    for (size_t i = 0; i < choices.size() && is_sound; ++i) {
      const LayerSpec spec = AtPrecision(graph.layers[i].spec, choices[i].precision);
      is_sound = costs_->Cost(spec, choices[i].implementation).has_value();
    }
    if (!is_sound) continue;
    try {
      Selection selection;
      selection.choices = choices;
      Plan plan = BuildPlan(graph, choices, reorders, catalog_->target().threads);
      entrants->push_back({std::move(selection), std::move(plan)});
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::kDevice) throw;  // no working reorder between its layers
    }
  }
}

void NetworkVerdict::Learn(const Plan& plan, const std::vector<StepTiming>& steps) {
  for (size_t i = 0; i < steps.size() && i < plan.steps.size(); ++i) {
    const PlanStep& step = plan.steps[i];
    costs_->Learn(step.spec, step.implementation, steps[i].ms);
  }
  if (keep_) keep_(plan, steps);
}

// Sorts them, the fastest first; those that failed are left out. False where all did: then they are
// as they were.
bool NetworkVerdict::Time(std::vector<Entrant>* entrants) {
  if (starting_) starting_(static_cast<int>(entrants->size()));
  PlanFolders folders(folder_ / "verdict");
  for (const Entrant& entrant : *entrants) folders.Add(entrant.plan);
  PlansRequest request;
  request.folders = folders.folders();
  request.threads = catalog_->target().threads;
  request.options.contender_budget = options_.budget_each;
  request.options.warm_up_budget = options_.budget_each / 4;
  request.wants_steps = true;
  const PlansAnswer answer = timer_(request);
  std::vector<Entrant> timed;
  for (size_t i = 0; i < entrants->size(); ++i) {
    const std::vector<double>& samples = answer.plans[i].timing.measurement.samples_ms;
    if (samples.empty()) continue;
    Entrant& entrant = (*entrants)[i];
    entrant.median_ms = Median(samples);
    Learn(entrant.plan, answer.plans[i].steps);
    timed.push_back(std::move(entrant));
  }
  if (timed.empty()) return false;
  std::ranges::stable_sort(timed, {}, &Entrant::median_ms);
  *entrants = std::move(timed);
  return true;
}

NetworkVerdict::Verdict NetworkVerdict::Best(const LayerGraph& graph,
                                             const std::vector<std::vector<DType>>& precisions,
                                             const std::vector<std::vector<LayerChoice>>& also) {
  std::vector<std::vector<LayerChoice>> tried;
  std::vector<Entrant> entrants;
  double gain = 1;
  for (int round = 0; round < options_.rounds; ++round) {
    const int count = round == 0 ? options_.first : options_.further;
    std::vector<Entrant> proposed = Propose(count, graph, precisions, tried);
    if (round == 0) AddGiven(graph, also, &proposed);
    if (proposed.empty()) break;
    for (Entrant& entrant : proposed) {
      tried.push_back(entrant.selection.choices);
      entrants.push_back(std::move(entrant));
    }
    if (!Time(&entrants)) break;
    // The fastest goes on, and the one that was put first, for the others to be judged by.
    const auto foremost = std::ranges::find_if(
        entrants, [&](const Entrant& each) { return each.selection.choices == tried.front(); });
    std::vector<Entrant> kept = {entrants.front()};
    if (foremost != entrants.end()) {
      gain = foremost->median_ms / entrants.front().median_ms;
      if (foremost != entrants.begin()) kept.push_back(*foremost);
    }
    entrants = std::move(kept);
  }
  return {std::move(entrants.front().plan), static_cast<int>(tried.size()), gain};
}

}  // namespace fettle
