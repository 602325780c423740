#include "fettle/tuner/candidate_search.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "fettle/core/error.h"
#include "fettle/core/joined_text.h"
#include "fettle/search/pareto_front.h"
#include "fettle/search/strategy_list.h"

namespace fettle {
namespace {

constexpr size_t kAskedAtOnce = 16;

// Where a search starts: everything as it is, everything in the last precision, and both with all
// groups narrowed alike, and with all layers rewritten alike.
std::vector<Candidate> InitialCandidates(const TuningSpace& space) {
  constexpr int kSteps = 8;
  std::vector<Candidate> initial;
  const std::vector<TuningDecision>& decisions = space.decisions();
  for (const auto kind : {TuningDecision::Kind::kWidth, TuningDecision::Kind::kVariant}) {
    for (int step = 0; step < kSteps; ++step) {
      for (const bool is_low_precision : {false, true}) {
        Candidate candidate = space.space().Original();
        for (size_t i = 0; i < decisions.size(); ++i) {
          const int last = space.space().decisions()[i].num_options - 1;
          const bool is_precision = decisions[i].kind == TuningDecision::Kind::kPrecision;
          if (decisions[i].kind == kind) candidate.options[i] = std::min(step, last);
          if (is_precision && is_low_precision) candidate.options[i] = last;
        }
        if (!space.space().Repair(&candidate)) continue;
        const bool is_new = std::ranges::find(initial, candidate) == initial.end();
        if (is_new) initial.push_back(std::move(candidate));
      }
    }
  }
  return initial;
}

// To be minimised. A factor between latency and energy would change nothing in who beats whom.
Objectives PredictedValues(const PredictedCandidate& candidate,
                           const std::vector<Objective>& objectives) {
  Objectives values;
  for (const Objective objective : objectives) {
    if (objective == Objective::kAccuracy) {
      values.push_back(candidate.loss);
    } else if (objective == Objective::kMemory) {
      values.push_back(static_cast<double>(candidate.memory_bytes));
    } else {
      values.push_back(candidate.ms);
    }
  }
  return values;
}

}  // namespace

Candidate SingleChange(const DesignSpace& space, size_t decision, int option) {
  Candidate candidate = space.Original();
  candidate.options[decision] = option;
  return candidate;
}

SingleLosses::SingleLosses(const DesignSpace& space,
                           const std::map<std::string, double>& sensitivities)
    : losses_(space.size()) {
  for (size_t i = 0; i < space.size(); ++i) {
    losses_[i].push_back(0);
    for (int option = 1; option < space.decisions()[i].num_options; ++option) {
      const auto found = sensitivities.find(CandidateText(SingleChange(space, i, option)));
      losses_[i].push_back(found == sensitivities.end() ? 0 : std::max(0.0, found->second));
    }
  }
}

std::vector<double> SingleLosses::Contributions(const Candidate& candidate) const {
  std::vector<double> contributions;
  for (size_t i = 0; i < candidate.options.size(); ++i) {
    contributions.push_back(losses_[i][static_cast<size_t>(candidate.options[i])]);
  }
  return contributions;
}

double SingleLosses::Loss(const Candidate& candidate) const {
  double loss = 0;
  for (const double part : Contributions(candidate)) loss += part;
  return loss;
}

std::vector<double> LossContributions(const Candidate& candidate, const DesignSpace& space,
                                      const std::map<std::string, double>& sensitivities) {
  return SingleLosses(space, sensitivities).Contributions(candidate);
}

double PredictedLoss(const Candidate& candidate, const DesignSpace& space,
                     const std::map<std::string, double>& sensitivities) {
  return SingleLosses(space, sensitivities).Loss(candidate);
}

std::vector<PredictedCandidate> SearchCandidates(const TuningSpace& space,
                                                 const CandidateCosts& costs,
                                                 const std::map<std::string, double>& sensitivities,
                                                 const CandidateSearchOptions& options,
                                                 TuneObserver* observer) {
  StrategySettings settings;
  settings.seed = options.seed;
  settings.num_objectives = options.objectives.size();
  settings.initial = InitialCandidates(space);
  const auto strategy = MakeStrategy(options.strategy, space.space(), settings);
  if (!strategy) {
    throw Error(ErrorKind::kUsage, Text("--strategy ", options.strategy, ": one of ",
                                        JoinedText(StrategyNames()), " is expected"));
  }
  const SingleLosses losses(space.space(), sensitivities);
  std::vector<PredictedCandidate> tried;
  const bool needs_memory = Contains(options.objectives, Objective::kMemory);
  ParetoFront front(options.objectives.size());
  while (static_cast<int64_t>(tried.size()) < options.evaluations) {
    const std::vector<Candidate> asked = strategy->Ask(kAskedAtOnce);
    if (asked.empty()) break;
    for (const Candidate& candidate : asked) {
      observer->StopIfAsked();
      const double loss = losses.Loss(candidate);
      const CandidateCosts::Prediction cost =
          needs_memory ? costs.Predict(candidate)
                       : CandidateCosts::Prediction{costs.PredictedMs(candidate), 0};
      tried.push_back({candidate, cost.ms, loss, cost.memory_bytes});
      const Objectives objectives = PredictedValues(tried.back(), options.objectives);
      strategy->Tell(candidate, objectives, 0);
      front.Add(objectives, tried.size() - 1);
    }
    observer->Status(Text("search: ", tried.size(), " of ", options.evaluations,
                          " candidates, front of ", front.points().size()));
  }
  std::vector<PredictedCandidate> result;
  for (const ParetoPoint& point : front.points()) result.push_back(tried[point.payload]);
  std::ranges::stable_sort(result, {}, &PredictedCandidate::ms);
  return result;
}

std::vector<PredictedCandidate> DropIndistinct(const std::vector<PredictedCandidate>& front) {
  constexpr double kLossNoise = 0.002;    // of a difference on some hundreds of images
  constexpr double kLatencyNoise = 0.03;  // of a prediction, at the least
  std::vector<PredictedCandidate> by_loss;
  for (const PredictedCandidate& candidate : front) {
    if (by_loss.empty() || candidate.loss < by_loss.back().loss - kLossNoise) {
      by_loss.push_back(candidate);
    }
  }
  std::vector<PredictedCandidate> distinct;
  for (auto candidate = by_loss.rbegin(); candidate != by_loss.rend(); ++candidate) {
    if (distinct.empty() || candidate->ms < (1 - kLatencyNoise) * distinct.back().ms) {
      distinct.push_back(*candidate);
    }
  }
  std::ranges::reverse(distinct);
  return distinct;
}

std::vector<PredictedCandidate> SpreadOver(const std::vector<PredictedCandidate>& front,
                                           size_t count) {
  std::vector<PredictedCandidate> picked;
  if (front.empty() || count == 0) return picked;
  const auto share = [](double value, double from, double to) {
    return to == from ? 0.0 : (value - from) / (to - from);
  };
  const PredictedCandidate& slowest = front.back();
  const PredictedCandidate& fastest = front.front();
  std::vector<double> places;  // 0 for the slowest, 1 for the fastest
  for (const PredictedCandidate& candidate : front) {
    const double by_latency =
        share(std::log(candidate.ms), std::log(slowest.ms), std::log(fastest.ms));
    const double by_loss =
        share(std::sqrt(candidate.loss), std::sqrt(slowest.loss), std::sqrt(fastest.loss));
    places.push_back((by_latency + by_loss) / 2);
  }
  std::set<size_t> taken;
  for (size_t i = 0; i < std::min(count, front.size()); ++i) {
    const double wanted = count == 1 ? 0 : static_cast<double>(i) / static_cast<double>(count - 1);
    size_t nearest = front.size();
    for (size_t k = 0; k < front.size(); ++k) {
      if (taken.contains(k)) continue;
      if (nearest == front.size() ||
          std::abs(places[k] - wanted) < std::abs(places[nearest] - wanted)) {
        nearest = k;
      }
    }
    taken.insert(nearest);
  }
  for (auto index = taken.rbegin(); index != taken.rend(); ++index) picked.push_back(front[*index]);
  return picked;
}

}  // namespace fettle
