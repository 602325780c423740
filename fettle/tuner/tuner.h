#pragma once

#include <chrono>

#include "fettle/tuner/candidate_picker.h"
#include "fettle/tuner/cost_store.h"
#include "fettle/tuner/session.h"
#include "fettle/tuner/tune_observer.h"
#include "fettle/tuner/tuning_space.h"
#include "fettle/tuner/verifier.h"

namespace fettle {

// A tuning session, from what it finds in its folder to the end of its budget:
//
//   1. profile      the layers of each single change are measured, those not in the database yet:
//                   as many as a quarter of the budget would do if none were known
//   2. sensitivity  what each single change does to the loss on calibration images, a changed
//                   structure trained for a few steps first
//   3. search       predicted latency (primitives solved for each candidate) against predicted
//                   loss; the layers that candidates picked from the predicted front need are
//                   measured, and the search is made again, until none is left or kProfileShare of
//                   the budget is
//   4. verify       candidates spread over the predicted front are built, recovered, measured from
//                   end to end and evaluated, the wide ones first, so that the narrow ones start
//                   from trained weights; what is on the front, or near it, is then trained
//                   further for what is left of the budget, but for
//   5. finish       all of them are measured again in a fresh process
//
// 1 to 3 depend on the measurements in the database, the data, the seed and the budget alone, so
// that a session run again measures no layer twice. Only verified points are ever on the front.
class Tuner {
 public:
  Tuner(Session* session, const TuningSpace& space, CostStore* store, const CandidateCosts& costs,
        Verifier* verifier, TuneObserver* observer);

  // Throws Error (kInterrupted) where the observer wants to stop; everything known is saved.
  void Run();

  static constexpr double kProfileShare = 0.4;
  static constexpr size_t kFewestPoints = 10;  // verified before the budget may end the session

 private:
  double Elapsed() const;
  double Left() const { return session_->settings().budget_seconds - Elapsed(); }
  // Of a step that may take this share of the budget as reckoned.
  double MostSecondsByClock(double share) const;
  struct LayersMeasured {
    size_t known = 0, now = 0;  // of the layers asked for, in their order; measured for it
  };
  // As many as bring what is reckoned for all so far to that share of the budget.
  LayersMeasured MeasureLayers(const std::vector<LayerSpec>& specs, double share,
                               const std::string& what);
  void Profile();
  // What the predicted front needs and single changes do not.
  void MeasurePromising();
  void MeasureSensitivities();
  // Of each single change, after so many steps of recovery, unless the session knows it. False
  // where the glimpses took far longer than reckoned; then they are given up.
  bool MeasureSensitivitiesAfter(int64_t glimpse_steps);
  // As many as the session began with, so that all can be compared.
  int64_t GlimpseStepsOfSession() const;
  void VerifyAll();
  // Measures all points again, with the original; what is on the front then sees the test images.
  void Finish();
  // To measure all points again, and those that `remaining` candidates may add, and to see the test
  // images with the front.
  double SecondsToFinish(size_t remaining) const;
  // How long each of the remaining picks may be trained.
  double SecondsToRecover(size_t remaining) const;
  void VerifyOne(const PredictedCandidate& candidate, size_t remaining);
  // Trains what is on the front, or near it, further: each gets an equal share of the time left,
  // but no less than tells (kShortestDeepening).
  void DeepenFront();
  // Whether there is time for another training of so many seconds.
  bool MayGoOn(double seconds) const;

  Session* session_;
  const TuningSpace& space_;
  CostStore* store_;
  const CandidateCosts& costs_;
  Verifier* verifier_;
  TuneObserver* observer_;
  CandidatePicker picker_;
  std::chrono::steady_clock::time_point begin_;
  double reckoned_seconds_ = 0;   // of measuring layers
  double measuring_seconds_ = 0;  // that it took
  double overhead_seconds_ = 4;   // of a verification beside its recovery, as measured
  double deepening_seconds_ = 0;  // kept for it while the picks are verified
};

}  // namespace fettle
