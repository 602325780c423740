#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "fettle/tuner/accuracy_model.h"
#include "fettle/tuner/candidate_search.h"
#include "fettle/tuner/session.h"

namespace fettle {

// What a session verifies next: candidates of the predicted front, the loss being the sum of the
// session's sensitivities, each times the weight of its decision that the verified points taught.
class CandidatePicker {
 public:
  // All outlive it.
  CandidatePicker(const Session& session, const TuningSpace& space, const CandidateCosts& costs,
                  int64_t num_classes, TuneObserver* observer);

  // The predicted front as it is now, fastest first.
  std::vector<PredictedCandidate> Front();

  // Up to so many, spread over the front, slowest first; without those verified.
  std::vector<PredictedCandidate> Picks(size_t most);

  // Replaces what is left to verify by as many of the front as it is predicted now.
  void Correct(std::vector<PredictedCandidate>* picks);

  // The accuracy model of what has been verified so far, and what a candidate's decisions
  // contribute to it.
  AccuracyModel ModelOfPoints() const;
  std::vector<double> Contributions(const Candidate& candidate) const;

  // Whether the model expects a candidate to lose more than the session allows.
  bool IsTooCostly(const PredictedCandidate& candidate) const;

 private:
  bool IsVerified(const Candidate& candidate) const;
  std::map<std::string, double> CorrectedSensitivities() const;

  const Session& session_;
  const TuningSpace& space_;
  const CandidateCosts& costs_;
  int64_t num_classes_;
  TuneObserver* observer_;
};

}  // namespace fettle
