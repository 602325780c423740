#include "fettle/tuner/network_verdict.h"

#include <algorithm>
#include <iterator>

#include "fettle/core/error.h"
#include "fettle/core/statistics.h"
#include "fettle/runtime/precision.h"

namespace fettle {
namespace {

// Steps are timed plan after plan; what they add up to is brought to what the plan took in turns
// with the others, so that a disturbance of one plan's steps does not count against its kernels.
std::vector<StepTiming> Scaled(std::vector<StepTiming> steps, double total_ms) {
  double sum = 0;
  for (const StepTiming& step : steps) sum += step.ms;
  if (sum <= 0) return steps;
  for (StepTiming& step : steps) {
    step.ms *= total_ms / sum;
    for (double& sample : step.samples_ms) sample *= total_ms / sum;
  }
  return steps;
}

}  // namespace

std::vector<NetworkVerdict::Entrant> NetworkVerdict::Propose(
    int count, const LayerGraph& graph, const std::vector<std::vector<DType>>& precisions,
    const std::vector<std::vector<LayerChoice>>& tried) const {
  const ReorderCosts reorders(catalog_, *costs_);
  std::vector<Entrant> entrants;
  for (Selection& selection : SelectTop(count, graph, precisions, catalog_, *costs_, reorders)) {
    if (std::ranges::find(tried, selection.choices) != tried.end()) continue;
    Plan plan = BuildPlan(graph, selection.choices, reorders, catalog_->target().threads);
    entrants.push_back({std::move(selection), std::move(plan), {}});
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
      entrants->push_back({std::move(selection), std::move(plan), {}});
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
bool NetworkVerdict::Time(PlanFolders* folders, std::vector<Entrant>* entrants) {
  if (starting_) starting_(static_cast<int>(entrants->size()));
  PlansRequest request;
  for (Entrant& entrant : *entrants) {
    if (entrant.folder.empty()) entrant.folder = folders->Add(entrant.plan);
    request.folders.push_back(entrant.folder);
  }
  request.threads = catalog_->target().threads;
  request.options.contender_budget = options_.budget_each;
  request.options.warm_up_budget = options_.budget_each / 4;
  request.wants_steps = true;
  const PlansAnswer answer = timer_(request);
  std::vector<Entrant> timed;
  for (size_t i = 0; i < entrants->size(); ++i) {
    Entrant& entrant = (*entrants)[i];
    const std::vector<double>& samples = answer.plans[i].timing.measurement.samples_ms;
    if (samples.empty()) {
      PlanFolders::Remove(entrant.folder);
      continue;
    }
    entrant.median_ms = Median(samples);
    Learn(entrant.plan, Scaled(answer.plans[i].steps, entrant.median_ms));
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
  PlanFolders folders(folder_ / "verdict");
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
    if (!Time(&folders, &entrants)) break;
    // The fastest goes on, and the one that was put first, for the others to be judged by.
    const auto foremost = std::ranges::find_if(
        entrants, [&](const Entrant& each) { return each.selection.choices == tried.front(); });
    std::vector<Entrant> kept = {entrants.front()};
    if (foremost != entrants.end()) {
      gain = foremost->median_ms / entrants.front().median_ms;
      if (foremost != entrants.begin()) kept.push_back(*foremost);
    }
    for (const Entrant& entrant : entrants) {
      if (std::ranges::find(kept, entrant.folder, &Entrant::folder) == kept.end()) {
        PlanFolders::Remove(entrant.folder);
      }
    }
    entrants = std::move(kept);
  }
  return {std::move(entrants.front().plan), static_cast<int>(tried.size()), gain};
}

}  // namespace fettle
