#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/training/data/dataset.h"
#include "fettle/training/evaluation/evaluation.h"
#include "fettle/tuner/candidate_search.h"
#include "fettle/tuner/glimpse.h"
#include "fettle/tuner/network_verdict.h"
#include "fettle/tuner/point_bench.h"
#include "fettle/tuner/recovery.h"
#include "fettle/tuner/session.h"
#include "fettle/tuner/tune_observer.h"

namespace fettle {

// The images a session works with.
struct TuningData {
  Dataset train;        // what networks are recovered on
  Dataset calibration;  // the part of validation that sensitivities are measured on
  Dataset validation;   // what candidates are compared on
  Dataset test;         // reported only
};

// Builds candidates for real, recovers them, runs them on the device and on the data.
class Verifier {
 public:
  // All outlive it. `original` is the model at the session's batch.
  Verifier(Session* session, const TuningSpace& space, const CandidateCosts& costs,
           const TuningData& data, WorkerClient* worker, const PrimitiveList& primitives,
           const Target& target, TuneObserver* observer);

  // The multiplications a second that training is reckoned at, see glimpse.h.
  double ReckonedTrainingSpeed() const { return ReckonedTrainingMacsPerSecond(target_); }

  // The model's, for data may have no labels.
  int64_t num_classes() const;

  // The model as it is, with the default primitives in f32; written to the session.
  VerifiedPoint VerifyOriginal();

  // A candidate, trained for so many seconds if its structure is another than that of what it
  // starts from: the nearest point of the session that it can be made from. Not yet added to the
  // session. Nothing where its network could not be measured; the observer is told why.
  std::optional<VerifiedPoint> Verify(const std::string& id, const PredictedCandidate& candidate,
                                      double seconds);

  // The point trained for so many seconds more, from its own weights; kept (and measured anew) only
  // if it became more accurate on the validation images, else as it was.
  VerifiedPoint Deepen(const VerifiedPoint& point, double seconds);

  // What all recoveries share, once: the original's answers to the training images, and how fast it
  // trains.
  void PrepareRecovery();

  // The loss on the calibration images (without labels, the divergence from the original's
  // probabilities); of a changed structure after a glimpse of a recovery of so many steps
  // (glimpse.h), with the images in the same order for all, so that they differ by their widths
  // alone. One whose training comes apart is evaluated as it was before.
  double CalibrationLoss(const Candidate& candidate, int64_t glimpse_steps);

  // The points measured again, in one fresh process, against one another and the original. What
  // cannot be measured now stays as it was.
  void MeasureAgain(const std::vector<VerifiedPoint>& points);

  // What is reported of a point (and of the original), and never chosen by.
  void EvaluateOnTest(VerifiedPoint point);

 private:
  VerifiedPoint OriginalPoint() const;  // the session's, or one with no more than the id
  Graph GraphOf(const VerifiedPoint& point) const;
  VerifiedPoint StartFor(const Candidate& candidate) const;
  // Of the point's network on training images; takes seconds. The original's is kept, another's
  // until its candidate is built.
  const Calibration& CalibrationOf(const std::string& id, const Graph& graph);
  // `what` is named where the training comes apart; then the network is as it was, after 0 steps.
  Graph RecoverFor(const Graph& start, double seconds, const std::string& what, int64_t* steps);
  Graph Recover(const Graph& start, double steps_to_do, uint64_t seed, const std::string& what,
                int64_t* steps);
  Evaluation EvaluatePlan(Plan plan, const Dataset& dataset, const std::string& what,
                          std::optional<double> floor = std::nullopt);
  const Evaluation& OriginalOn(const Dataset& dataset, std::optional<Evaluation>* kept);
  // Lowers, plans, writes, runs and evaluates a network under the point's id and revision. False
  // where it could not be measured, or, as a revision, is no more accurate than the one before:
  // nothing is kept then.
  bool Realise(const Graph& network, const Candidate& candidate, VerifiedPoint* point);
  void Describe(const LayerGraph& graph, const Plan& plan, const Candidate& candidate,
                VerifiedPoint* point) const;

  Session* session_;
  const TuningSpace& space_;
  const CandidateCosts& costs_;
  const TuningData& data_;
  NetworkCosts network_costs_;
  PlansTimer timer_;
  NetworkVerdict verdict_;  // between the best choices of primitives of what is verified
  PointBench bench_;
  const PrimitiveList& primitives_;
  Target target_;
  TuneObserver* observer_;
  Recovery recovery_;
  double images_per_second_ = 0;  // of the last training
  int recoveries_ = 0;
  std::optional<Calibration> calibration_of_original_, calibration_of_start_;
  std::optional<Evaluation> original_on_calibration_, original_on_validation_, original_on_test_;
};

}  // namespace fettle
