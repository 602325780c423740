#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fettle/search/design_space.h"
#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/objective.h"
#include "fettle/tuner/tune_observer.h"

namespace fettle {

// What is believed of a candidate.
struct PredictedCandidate {
  Candidate candidate;
  double ms = 0;
  double loss = 0;           // added to the original's, before any recovery
  int64_t memory_bytes = 0;  // 0 where memory is no objective
};

// The additive model of accuracy: the sum of what each change alone adds to the loss.
double PredictedLoss(const Candidate& candidate, const DesignSpace& space,
                     const std::map<std::string, double>& sensitivities);

// What each decision's change adds to that; no less than 0, since what seems to help is noise of
// the few images it was measured on.
std::vector<double> LossContributions(const Candidate& candidate, const DesignSpace& space,
                                      const std::map<std::string, double>& sensitivities);

// The candidate that differs from the original in one decision.
Candidate SingleChange(const DesignSpace& space, size_t decision, int option);

// The same for many candidates: looked up once.
class SingleLosses {
 public:
  SingleLosses(const DesignSpace& space, const std::map<std::string, double>& sensitivities);

  std::vector<double> Contributions(const Candidate& candidate) const;
  double Loss(const Candidate& candidate) const;

 private:
  std::vector<std::vector<double>> losses_;  // by decision and option
};

struct CandidateSearchOptions {
  std::string strategy;
  uint64_t seed = 1;
  int64_t evaluations = 1000;
  std::vector<Objective> objectives = {Objective::kLatency, Objective::kAccuracy};
};

// Searches predicted latency, loss and memory, as far as they are objectives, energy being taken as
// proportional to the latency; the non-dominated candidates, fastest first.
// Deterministic in its arguments.
std::vector<PredictedCandidate> SearchCandidates(const TuningSpace& space,
                                                 const CandidateCosts& costs,
                                                 const std::map<std::string, double>& sensitivities,
                                                 const CandidateSearchOptions& options,
                                                 TuneObserver* observer);

// Of a front over latency and loss (fastest first), those that differ from one another by more than
// noise: each loses less than every faster one, and is faster than the next by more than that.
std::vector<PredictedCandidate> DropIndistinct(const std::vector<PredictedCandidate>& front);

// Up to `count` of a front (fastest first), slowest first: both ends, and between them evenly over
// the mean of two scales, the logarithm of the latency and the root of the predicted loss, so that
// neither the cheap changes nor the deep cuts are left out.
std::vector<PredictedCandidate> SpreadOver(const std::vector<PredictedCandidate>& front,
                                           size_t count);

}  // namespace fettle
