#include "fettle/tuner/verifier.h"

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/batch.h"
#include "fettle/network/macs.h"
#include "fettle/network/onnx/export.h"
#include "fettle/network/onnx/import.h"
#include "fettle/network/variants/drop.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/training/data/data_sample.h"
#include "fettle/training/evaluation/calibrate.h"
#include "fettle/tuner/accuracy_floor.h"
#include "fettle/tuner/fixed_text.h"
#include "fettle/tuner/fusion_choice.h"
#include "fettle/tuner/layer_entry.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {
namespace {

constexpr int64_t kImagesToCalibrate = 512;
constexpr int64_t kFewestStepsToTime = 30;
constexpr int kStepsToTime = 12;  // of the original, before anything was trained

constexpr NetworkVerdict::Options kVerdict = {std::chrono::milliseconds(150), 3, 2, 2};

}  // namespace

Verifier::Verifier(Session* session, const TuningSpace& space, const CandidateCosts& costs,
                   const TuningData& data, WorkerClient* worker, const PrimitiveList& primitives,
                   const Target& target, TuneObserver* observer)
    : session_(session),
      space_(space),
      costs_(costs),
      data_(data),
      network_costs_(costs.isolated()),
      timer_(TimerOf(worker)),
      verdict_(costs.catalog(), &network_costs_, timer_, session->folder(), kVerdict),
      bench_(session, worker, observer),
      primitives_(primitives),
      target_(target),
      observer_(observer),
      recovery_(space.original(), data.train, target) {
  verdict_.set_starting([this](int) { observer_->StopIfAsked(); });
}

int64_t Verifier::num_classes() const {
  const Graph& graph = space_.original();
  return graph.value(graph.outputs().at(0)).type.shape.back();
}

Evaluation Verifier::EvaluatePlan(Plan plan, const Dataset& dataset, const std::string& what,
                                  std::optional<double> floor) {
  Target target = target_;
  target.threads = plan.threads;
  Executor executor(std::move(plan), primitives_, target);
  EvaluationOptions options;
  options.floor = floor;
  options.progress = [&](int64_t done) {
    if (done % 500 == 0)
      observer_->Status(Text(what, ": ", done, " of ", dataset.size(), " images"));
    return !observer_->ShouldStop();
  };
  return Evaluate(&executor, dataset, options);
}

const Evaluation& Verifier::OriginalOn(const Dataset& dataset, std::optional<Evaluation>* kept) {
  if (!*kept) {
    *kept = EvaluatePlan(ReadPlan(session_->FolderOf(OriginalPoint())), dataset, kOriginalId);
  }
  return **kept;
}

VerifiedPoint Verifier::OriginalPoint() const {
  VerifiedPoint nameless;
  nameless.id = kOriginalId;
  return session_->original().value_or(nameless);
}

VerifiedPoint Verifier::VerifyOriginal() {
  VerifiedPoint point = OriginalPoint();
  const std::filesystem::path folder = session_->FolderOf(point);
  std::filesystem::create_directories(folder);
  const LayerGraph graph = Lower(space_.original());
  const Plan plan = WithBestThreads(DefaultPlan(graph, DType::kF32, primitives_, target_), timer_,
                                    session_->folder())
                        .plan;
  ExportOnnx(space_.original(), folder / "model.onnx");
  WritePlan(folder, plan);
  point.parameters = space_.original().NumParameters();
  Describe(graph, plan, space_.space().Original(), &point);
  point.candidate.clear();
  const PlansAnswer answer = bench_.Measure({point}, 2);
  point.latency_ms = PointBench::LatencyOfOriginal(answer.plans[0]);
  point.memory_bytes = answer.plans[0].planned_bytes();
  point.measured_memory_bytes = answer.plans[0].measured_bytes;
  point.energy_mj = bench_.MeasureEnergies({point}, 2)[0];
  const Evaluation& evaluation = OriginalOn(data_.validation, &original_on_validation_);
  point.accuracy = ScoreOf(evaluation, evaluation).accuracy;
  session_->SetOriginal(point);
  return point;
}

Graph Verifier::GraphOf(const VerifiedPoint& point) const {
  if (point.id == kOriginalId) return space_.original();
  ImportOptions options;
  options.batch = BatchOf(space_.original());
  return ImportOnnx(session_->FolderOf(point) / "model.onnx", options);
}

const Calibration& Verifier::CalibrationOf(const std::string& id, const Graph& graph) {
  std::optional<Calibration>& calibration =
      id == kOriginalId ? calibration_of_original_ : calibration_of_start_;
  if (calibration && id == kOriginalId) return *calibration;
  calibration.reset();  // hundreds of megabytes for a large network
  observer_->Status(Text("the activations of ", id, " are looked at"));
  calibration = Calibrate(graph, ValuesToCalibrate(graph),
                          Sampled(data_.train, {kImagesToCalibrate}), primitives_, target_);
  observer_->StopIfAsked();
  return *calibration;
}

// The trained point with the fewest multiplications among those that the candidate can be made
// from.
VerifiedPoint Verifier::StartFor(const Candidate& candidate) const {
  VerifiedPoint nearest = OriginalPoint();
  int64_t macs = INT64_MAX;
  for (const VerifiedPoint& point : session_->points()) {
    const std::optional<Candidate> other = ParseCandidate(point.candidate);
    const bool is_start =
        other && space_.space().Contains(*other) && space_.CanStartFrom(*other, candidate);
    if (!is_start || point.macs >= macs) continue;
    nearest = point;
    macs = point.macs;
  }
  return nearest;
}

void Verifier::PrepareRecovery() {
  if (!recovery_.is_prepared()) {
    observer_->Status("the original looks at the training images");
    recovery_.Prepare();
  }
  if (images_per_second_ == 0) {
    recovery_.Run(space_.original(), kStepsToTime, 1, [&](const TrainProgress& progress) {
      images_per_second_ = progress.images_per_second;
      return !observer_->ShouldStop();
    });
  }
  observer_->StopIfAsked();
}

Graph Verifier::RecoverFor(const Graph& start, double seconds, const std::string& what,
                           int64_t* steps) {
  PrepareRecovery();
  // Each recovery sees the images in an order of its own, also once the session is resumed.
  int64_t steps_before = ++recoveries_;
  for (const VerifiedPoint& point : session_->points()) steps_before += point.trained_steps;
  const double steps_to_do = seconds * images_per_second_ / Recovery::kBatch;
  return Recover(start, std::max(8.0, steps_to_do),
                 session_->settings().seed + static_cast<uint64_t>(steps_before), what, steps);
}

Graph Verifier::Recover(const Graph& start, double steps_to_do, uint64_t seed,
                        const std::string& what, int64_t* steps) {
  Graph recovered = start;
  try {
    recovered = recovery_.Run(start, steps_to_do, seed, [&](const TrainProgress& progress) {
      *steps = progress.step;
      // The next is more like this one than like the original.
      if (progress.step > kFewestStepsToTime) images_per_second_ = progress.images_per_second;
      observer_->Status(Text("recovering: step ", progress.step, " of ", progress.steps));
      return !observer_->ShouldStop();
    });
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kBadInput) throw;
    *steps = 0;
    observer_->Note(Text(what, ": ", error.what(), "; taken without training"));
  }
  observer_->StopIfAsked();
  return recovered;
}

void Verifier::Describe(const LayerGraph& graph, const Plan& plan, const Candidate& candidate,
                        VerifiedPoint* point) const {
  point->candidate = CandidateText(candidate);
  point->macs = MacsOf(graph);
  point->size_bytes = StoredWeightBytes(plan);
  std::map<std::string, std::string> variants;
  for (const TuningSpace::Change& change : space_.Changes(candidate)) {
    std::string& variant = variants[change.layer];
    if (!change.variant.empty()) variant.append(variant.empty() ? "" : " ").append(change.variant);
  }
  point->threads = plan.threads;
  for (const PlanStep& step : plan.steps) {
    if (MacsOf(step.spec) == 0) continue;
    for (const std::string& layer : LayersOfStep(graph, step)) {
      const std::string* const variant = EntryOfLayer(variants, layer, space_.layers());
      point->changes.push_back({layer, variant == nullptr ? "" : *variant,
                                std::string(NameOf(step.spec.inputs[0].dtype)),
                                step.implementation.name});
    }
  }
  // What has no layer that is left to show it: a block that was dropped.
  for (const TuningSpace::Change& change : space_.Changes(candidate)) {
    if (change.variant == DropVariant().Text()) {
      point->changes.push_back({change.layer, change.variant, "", ""});
    }
  }
}

bool Verifier::Realise(const Graph& network, const Candidate& candidate, VerifiedPoint* point) {
  const LayerGraph graph = Lower(network);
  const Selection selection = costs_.Select(graph, space_.Precisions(candidate));
  observer_->Status(Text(point->id, ": its primitives are chosen within the network"));
  const FusedNetwork fused =
      FuseWhereItPays(graph, costs_.AllowedFor(graph, space_.Precisions(candidate)),
                      costs_.catalog(), network_costs_);
  const auto& [plan, gain] = WithBestThreads(verdict_.Best(fused.graph, fused.precisions).plan,
                                             timer_, session_->folder());
  const Evaluation evaluation =
      EvaluatePlan(plan, data_.validation, point->id,
                   AccuracyFloor(*point, selection.predicted_ms / gain, session_->points(),
                                 session_->settings().objectives));
  if (evaluation.samples < data_.validation.size()) {
    if (point->revision > 0) return false;
    session_->AddBeaten(CandidateText(candidate), evaluation.samples);
    observer_->Note(Text(point->id, ": clearly beaten after ", evaluation.samples, " of ",
                         data_.validation.size(), " images (top-1 ",
                         FixedText(100 * evaluation.top1.value, 1), " %), left"));
    return false;
  }
  const Evaluation& before = OriginalOn(data_.validation, &original_on_validation_);
  const Score score = ScoreOf(before, evaluation);
  if (point->revision > 0 && score.accuracy.value <= point->accuracy.value) return false;

  const std::filesystem::path folder = session_->FolderOf(*point);
  std::filesystem::create_directories(folder);
  ExportOnnx(network, folder / "model.onnx");
  WritePlan(folder, plan);
  Describe(graph, plan, candidate, point);
  point->parameters = network.NumParameters();
  point->predicted_ms = selection.predicted_ms;
  point->accuracy = score.accuracy;
  point->test_accuracy.reset();  // of the weights that it had
  point->test_drop.reset();
  point->drop = score.drop_points;
  point->agreement = score.comparison.agreement.value;
  point->kl = score.comparison.kl;

  observer_->Status(Text(point->id, ": measuring"));
  const PlansAnswer answer = bench_.Measure({OriginalPoint(), *point}, 0.8);
  const std::optional<Interval> latency = bench_.LatencyOf(answer.plans[1], point->id);
  if (!latency) {
    std::filesystem::remove_all(folder);
    return false;
  }
  point->latency_ms = *latency;
  point->memory_bytes = answer.plans[1].planned_bytes();
  point->measured_memory_bytes = answer.plans[1].measured_bytes;
  point->energy_mj = bench_.MeasureEnergies({*point}, 2)[0];
  return true;
}

std::optional<VerifiedPoint> Verifier::Verify(const std::string& id,
                                              const PredictedCandidate& predicted, double seconds) {
  VerifiedPoint point;
  point.id = id;
  const VerifiedPoint start = StartFor(predicted.candidate);
  point.parent = start.id;
  const Candidate of_start =
      start.id == kOriginalId ? space_.space().Original() : ParseCandidate(start.candidate).value();
  Graph network = GraphOf(start);
  if (!space_.HasSameStructure(of_start, predicted.candidate)) {
    network =
        space_.Build(predicted.candidate, network, &CalibrationOf(start.id, network), &of_start);
    calibration_of_start_.reset();
    network = RecoverFor(network, seconds, id, &point.trained_steps);
  }
  if (!Realise(network, predicted.candidate, &point)) return std::nullopt;
  return point;
}

VerifiedPoint Verifier::Deepen(const VerifiedPoint& point, double seconds) {
  VerifiedPoint deeper = point;
  int64_t steps = 0;
  const Graph network = RecoverFor(GraphOf(point), seconds, point.id, &steps);
  ++deeper.revision;
  deeper.changes.clear();
  if (!Realise(network, ParseCandidate(point.candidate).value(), &deeper)) return point;
  deeper.trained_steps += steps;
  return deeper;
}

double Verifier::CalibrationLoss(const Candidate& candidate, int64_t glimpse_steps) {
  const Graph& original = space_.original();
  Graph network = space_.Build(candidate, original, &CalibrationOf(kOriginalId, original));
  if (glimpse_steps > 0 && !space_.HasSameStructure(candidate, space_.space().Original())) {
    PrepareRecovery();
    int64_t steps = 0;
    network = Recover(network, static_cast<double>(glimpse_steps), session_->settings().seed,
                      Text("sensitivity of ", CandidateText(candidate)), &steps);
  }
  const LayerGraph graph = Lower(network);
  const Selection selection = costs_.Select(graph, space_.Precisions(candidate));
  const Evaluation evaluation =
      EvaluatePlan(costs_.PlanOf(graph, selection), data_.calibration, "sensitivity");
  return ScoreOf(OriginalOn(data_.calibration, &original_on_calibration_), evaluation).loss;
}

void Verifier::MeasureAgain(const std::vector<VerifiedPoint>& points) {
  bench_.StartAfresh();
  std::vector<VerifiedPoint> all = {OriginalPoint()};
  all.insert(all.end(), points.begin(), points.end());
  observer_->Status(Text("measuring all ", points.size(), " again, in a fresh process"));
  const PlansAnswer answer = bench_.Measure(all, 1.2);
  const std::vector<std::optional<Interval>> energies = bench_.MeasureEnergies(all, 3.5);
  for (size_t i = 0; i < all.size(); ++i) {
    // One that fails now keeps what it was verified with.
    all[i].latency_ms = bench_.LatencyOf(answer.plans[i], all[i].id).value_or(all[i].latency_ms);
    if (energies[i]) all[i].energy_mj = energies[i];
  }
  session_->SetOriginal(all[0]);
  for (size_t i = 1; i < all.size(); ++i) session_->AddPoint(all[i]);
}

void Verifier::EvaluateOnTest(VerifiedPoint point) {
  const Evaluation& before = OriginalOn(data_.test, &original_on_test_);
  VerifiedPoint original = OriginalPoint();
  if (!original.test_accuracy) {
    original.test_accuracy = ScoreOf(before, before).accuracy;
    session_->SetOriginal(original);
  }
  const Evaluation evaluation =
      EvaluatePlan(ReadPlan(session_->FolderOf(point)), data_.test, point.id + " on test");
  const Score score = ScoreOf(before, evaluation);
  point.test_accuracy = score.accuracy;
  point.test_drop = score.drop_points;
  session_->AddPoint(point);
}

}  // namespace fettle
