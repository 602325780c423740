#include "fettle/tuner/tuner.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "fettle/core/error.h"
#include "fettle/network/batch.h"
#include "fettle/network/macs.h"
#include "fettle/tuner/deepening.h"
#include "fettle/tuner/fixed_text.h"
#include "fettle/tuner/glimpse.h"

namespace fettle {
namespace {

constexpr double kSinglesShare = 0.25;  // of the budget, to measure the layers of single changes
constexpr int kMostRounds = 3;          // of search, to find layers worth measuring
constexpr size_t kPromising = 16;       // candidates of each, spread over the predicted front
constexpr double kFarOff = 1.5;  // times its share is the most that a step takes by the clock,
constexpr double kFewestSecondsByClock = 20;  // or so long: a busy machine is far off in moments
constexpr size_t kMostPoints = 24;            // picked at once
constexpr size_t kUsualFront = 12;  // points; of the candidates verified many fall behind it
constexpr double kSecondsToMeasureAgain = 1.4;  // each point
constexpr double kSecondsToTest = 2;            // on the test images, each of the front
constexpr double kSecondsOfEnergy = 4;          // of each point, where it is measured
constexpr double kLongestRecovery = 120;        // seconds
constexpr double kShortestRecovery = 3;
constexpr double kShortestDeepening = 8;
constexpr double kDeepeningShare =
    0.3;  // of the time for training; the first recoveries come first
constexpr double kSecondsAPick = 15;

// Of a point whose energy was measured, that and what was predicted for it from the others'.
std::string EnergyText(const VerifiedPoint& point, const std::vector<VerifiedPoint>& others) {
  if (!point.energy_mj) return "";
  const std::optional<double> predicted = PredictedEnergyMj(others, point.predicted_ms);
  return Text(
      ", energy ", FixedText(point.energy_mj->value, 3), " mJ",
      predicted ? Text(" (", FixedText(*predicted, 3), " predicted from its latency)") : "");
}

}  // namespace

void TuneObserver::StopIfAsked() {
  if (ShouldStop()) {
    throw Error(ErrorKind::kInterrupted,
                "interrupted; everything measured is saved, --resume goes on");
  }
}

Tuner::Tuner(Session* session, const TuningSpace& space, CostStore* store,
             const CandidateCosts& costs, Verifier* verifier, TuneObserver* observer)
    : session_(session),
      space_(space),
      store_(store),
      costs_(costs),
      verifier_(verifier),
      observer_(observer),
      picker_(*session, space, costs, verifier->num_classes(), observer),
      begin_(std::chrono::steady_clock::now()) {}

double Tuner::Elapsed() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin_).count();
}

double Tuner::MostSecondsByClock(double share) const {
  return std::max(kFarOff * share * session_->settings().budget_seconds, kFewestSecondsByClock);
}

void Tuner::Run() {
  Profile();
  if (!session_->original()) {
    const VerifiedPoint point = verifier_->VerifyOriginal();
    observer_->Note(Text("original: ", FixedText(point.latency_ms.value, 3), " ms, accuracy ",
                         FixedText(100 * point.accuracy.value, 2), " % (validation)"));
  }
  MeasureSensitivities();
  MeasurePromising();
  VerifyAll();
  Finish();
}

void Tuner::Finish() {
  // All of them, not the front alone: one that was disturbed when it was verified may belong there.
  observer_->StopIfAsked();
  verifier_->MeasureAgain(session_->points());
  for (const VerifiedPoint& point : FrontOf(*session_)) {
    observer_->StopIfAsked();
    if (!point.test_accuracy) verifier_->EvaluateOnTest(point);
  }
}

void Tuner::Profile() {
  std::vector<LayerSpec> specs = costs_.ReordersToMeasure();
  const std::vector<LayerSpec> layers = costs_.LayersToMeasure();
  specs.insert(specs.end(), layers.begin(), layers.end());
  const double started = Elapsed();
  const LayersMeasured done = MeasureLayers(specs, kSinglesShare, "profile");
  observer_->Note(Text("profile: ", done.known, " of ", specs.size(), " layers are known, ",
                       done.now, " measured now, in ", FixedText(Elapsed() - started, 0), " s",
                       done.known < specs.size() ? "; the cost of the others is predicted" : ""));
}

// The time is reckoned, not taken, and as if nothing were known yet: so the same session run again
// ends at the same layer. The clock has its say only where the reckoning is far off.
Tuner::LayersMeasured Tuner::MeasureLayers(const std::vector<LayerSpec>& specs, double share,
                                           const std::string& what) {
  const double budget = session_->settings().budget_seconds;
  const double started = Elapsed();
  LayersMeasured done;
  for (const LayerSpec& spec : specs) {
    observer_->StopIfAsked();
    const bool is_known = store_->IsComplete(spec);
    const double spent = measuring_seconds_ + Elapsed() - started;
    const bool is_far_off = !is_known && spent > MostSecondsByClock(share);
    if (reckoned_seconds_ > share * budget || is_far_off) break;
    if (!store_->IsRequired(spec)) {
      store_->Require(spec);
      reckoned_seconds_ += store_->ReckonedSeconds(spec);
      if (!is_known) ++done.now;
    }
    ++done.known;
    const double left = done.now == 0 ? 0
                                      : (Elapsed() - started) / static_cast<double>(done.known) *
                                            static_cast<double>(specs.size() - done.known);
    observer_->Status(Text(what, ": layer ", done.known, " of ", specs.size(), ", ", done.now,
                           " measured now, about ", FixedText(left, 0), " s left"));
  }
  measuring_seconds_ += Elapsed() - started;
  return done;
}

void Tuner::MeasurePromising() {
  const double started = Elapsed();
  size_t asked = 0, measured = 0;
  int rounds = 0;
  while (rounds < kMostRounds) {
    ++rounds;
    std::vector<LayerSpec> specs;
    for (const PredictedCandidate& candidate : picker_.Picks(kPromising)) {
      for (LayerSpec& spec : costs_.LayersOf(candidate.candidate)) {
        const bool is_new =
            !store_->IsRequired(spec) && std::ranges::find(specs, spec) == specs.end();
        if (is_new) specs.push_back(std::move(spec));
      }
    }
    if (specs.empty()) break;
    const LayersMeasured done = MeasureLayers(specs, kProfileShare, "promising");
    asked += done.known;
    measured += done.now;
    if (done.known < specs.size()) break;
  }
  observer_->Note(Text("promising candidates: ", asked, " more layers are known, ", measured,
                       " measured now, in ", rounds, " rounds of search, ",
                       FixedText(Elapsed() - started, 0), " s"));
}

int64_t Tuner::GlimpseStepsOfSession() const {
  if (session_->sensitivity_steps()) return *session_->sensitivity_steps();
  int64_t glimpses = 0;
  for (size_t i = 0; i < space_.decisions().size(); ++i) {
    if (space_.decisions()[i].kind == TuningDecision::Kind::kPrecision) continue;
    glimpses += space_.space().decisions()[i].num_options - 1;
  }
  const Graph& network = space_.original();
  return GlimpseSteps(MacsOf(network) / BatchOf(network), glimpses,
                      session_->settings().budget_seconds, verifier_->ReckonedTrainingSpeed());
}

void Tuner::MeasureSensitivities() {
  const double started = Elapsed();
  int64_t steps = GlimpseStepsOfSession();
  if (!MeasureSensitivitiesAfter(steps)) {
    observer_->Note(Text("sensitivity: ", steps,
                         " steps of recovery take far longer than reckoned (",
                         FixedText(Elapsed() - started, 0), " s so far); measured without them"));
    steps = 0;
    MeasureSensitivitiesAfter(steps);
  }
  observer_->Note(Text("sensitivity: ", session_->sensitivities().size(), " single changes, after ",
                       steps, " steps of recovery, in ", FixedText(Elapsed() - started, 0), " s"));
}

bool Tuner::MeasureSensitivitiesAfter(int64_t glimpse_steps) {
  const DesignSpace& space = space_.space();
  const auto is_known = [&](const std::string& text) {
    return session_->sensitivity_steps() == glimpse_steps &&
           session_->sensitivities().contains(text);
  };
  std::vector<Candidate> singles;
  for (size_t i = 0; i < space.size(); ++i) {
    for (int option = 1; option < space.decisions()[i].num_options; ++option) {
      const Candidate single = SingleChange(space, i, option);
      if (!is_known(CandidateText(single))) singles.push_back(single);
    }
  }
  if (singles.empty()) return true;
  const double loss_of_original = verifier_->CalibrationLoss(space.Original(), 0);
  const double started = Elapsed();
  const double most_seconds = MostSecondsByClock(kGlimpseShare);
  for (size_t done = 0; done < singles.size(); ++done) {
    observer_->StopIfAsked();
    if (glimpse_steps > 0 && Elapsed() - started > most_seconds) return false;
    session_->AddSensitivity(
        CandidateText(singles[done]),
        verifier_->CalibrationLoss(singles[done], glimpse_steps) - loss_of_original, glimpse_steps);
    const double each = (Elapsed() - started) / static_cast<double>(done + 1);
    observer_->Status(Text("sensitivity: ", done + 1, " of ", singles.size(), " changes, about ",
                           FixedText(each * static_cast<double>(singles.size() - done - 1), 0),
                           " s left"));
  }
  return true;
}

double Tuner::SecondsToFinish(size_t remaining) const {
  const bool has_energy = Contains(session_->settings().objectives, Objective::kEnergy);
  const size_t points = session_->points().size() + remaining + 1;
  const size_t front = std::min(kUsualFront, FrontOf(*session_).size() + remaining + 1);
  return (kSecondsToMeasureAgain + (has_energy ? kSecondsOfEnergy : 0)) *
             static_cast<double>(points) +
         kSecondsToTest * static_cast<double>(front);
}

double Tuner::SecondsToRecover(size_t remaining) const {
  const double each = (Left() - SecondsToFinish(remaining) - deepening_seconds_) /
                      static_cast<double>(std::max<size_t>(1, remaining));
  return std::clamp(each - overhead_seconds_, kShortestRecovery, kLongestRecovery);
}

void Tuner::VerifyOne(const PredictedCandidate& candidate, size_t remaining) {
  verifier_->PrepareRecovery();  // once; its time is not this candidate's
  const double started = Elapsed();
  const double seconds = SecondsToRecover(remaining);
  const std::string id = Text("c", session_->points().size());
  std::optional<VerifiedPoint> verified = verifier_->Verify(id, candidate, seconds);
  if (!verified) return;
  const AccuracyModel model = picker_.ModelOfPoints();
  const std::vector<double> contributions = picker_.Contributions(candidate.candidate);
  if (model.is_known()) verified->predicted_drop = model.Drop(contributions);
  for (const double part : contributions) verified->predicted_loss += part;
  const VerifiedPoint& point = *verified;
  const std::string energy = EnergyText(point, session_->points());
  session_->AddPoint(point);
  const double spent = Elapsed() - started;
  if (point.trained_steps == 0) {
    overhead_seconds_ = std::max(1.0, spent);
  } else {
    overhead_seconds_ = std::clamp(spent - seconds, 1.0, 60.0);
  }
  observer_->Note(Text(
      id, ": ", FixedText(point.latency_ms.value, 3), " ms (predicted ",
      FixedText(point.predicted_ms, 3), "), accuracy ", FixedText(100 * point.accuracy.value, 2),
      " %, drop ", FixedText(point.drop.value, 2), " points",
      point.predicted_drop ? Text(" (predicted ", FixedText(*point.predicted_drop, 2), ")") : "",
      ", ", point.trained_steps, " steps of recovery from ", point.parent, energy, ", ",
      FixedText(spent, 0), " s"));
}

bool Tuner::MayGoOn(double seconds) const {
  return Left() > SecondsToFinish(0) + overhead_seconds_ + seconds;
}

void Tuner::DeepenFront() {
  std::vector<VerifiedPoint> members = WorthDeepening(*session_);
  for (size_t remaining = members.size(); remaining > 0 && MayGoOn(kShortestDeepening);
       --remaining) {
    observer_->StopIfAsked();
    const VerifiedPoint& member = members[members.size() - remaining];
    const double share =
        (Left() - SecondsToFinish(0)) / static_cast<double>(remaining) - overhead_seconds_;
    const VerifiedPoint deeper =
        verifier_->Deepen(member, std::clamp(share, kShortestDeepening, kLongestRecovery));
    observer_->Note(Text(
        member.id, " trained further: accuracy ", FixedText(100 * member.accuracy.value, 2), " -> ",
        FixedText(100 * deeper.accuracy.value, 2), " %, ", FixedText(Left(), 0), " s left"));
    if (deeper != member) session_->AddPoint(deeper);
  }
}

void Tuner::VerifyAll() {
  const auto affordable = static_cast<size_t>(std::max(0.0, Left() / kSecondsAPick));
  std::vector<PredictedCandidate> picks =
      picker_.Picks(std::clamp<size_t>(affordable, kFewestPoints, kMostPoints));
  deepening_seconds_ = kDeepeningShare * std::max(0.0, Left() - SecondsToFinish(picks.size()));
  const size_t until_corrected = picks.size() / 2;
  size_t done = 0;
  while (!picks.empty() &&
         (session_->points().size() < kFewestPoints || MayGoOn(kShortestRecovery))) {
    observer_->StopIfAsked();
    const PredictedCandidate next = picks.front();
    if (!picker_.IsTooCostly(next)) VerifyOne(next, picks.size());
    picks.erase(picks.begin());
    if (++done == until_corrected && picks.size() > 1) picker_.Correct(&picks);
  }
  while (MayGoOn(kShortestDeepening)) {
    const double before = Left();
    DeepenFront();
    if (Left() > before - 1) return;  // nothing on the front was trained
  }
}

}  // namespace fettle
