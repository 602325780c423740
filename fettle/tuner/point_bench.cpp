#include "fettle/tuner/point_bench.h"

#include <chrono>

#include "fettle/core/error.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {
namespace {

TimingOptions NetworkTiming(double seconds) {
  TimingOptions options;
  options.mode = CacheMode::kHot;
  options.relative_width = 0.01;
  options.max_rounds = 1000;
  options.contender_budget = std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds));
  options.warm_up_budget = std::chrono::milliseconds(200);
  return options;
}

std::string WhyNot(const Measurement& measurement, const std::string& id) {
  return Text("the network of ", id, " could not be measured: ", NameOf(measurement.status), " ",
              measurement.detail);
}

}  // namespace

PointBench::PointBench(Session* session, WorkerClient* worker, TuneObserver* observer)
    : session_(session), worker_(worker), observer_(observer) {}

std::vector<std::string> PointBench::FoldersOf(const std::vector<VerifiedPoint>& points) const {
  std::vector<std::string> folders;
  for (const VerifiedPoint& point : points) folders.push_back(session_->FolderOf(point).string());
  return folders;
}

PlansAnswer PointBench::Measure(const std::vector<VerifiedPoint>& points, double seconds_each) {
  PlansRequest request;
  request.folders = FoldersOf(points);
  request.options = NetworkTiming(seconds_each);
  return MeasurePlans(worker_, request);
}

std::vector<std::optional<Interval>> PointBench::MeasureEnergies(
    const std::vector<VerifiedPoint>& points, double seconds_each) {
  std::vector<std::optional<Interval>> energies(points.size());
  if (!Contains(session_->settings().objectives, Objective::kEnergy)) return energies;
  observer_->Status("measuring energy");
  EnergyRequest request;
  request.folders = FoldersOf(points);
  request.options.window =
      std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds_each / request.options.trials));
  try {
    const EnergyAnswer answer = MeasureEnergy(worker_, request);
    for (size_t i = 0; i < points.size(); ++i) energies[i] = answer.plans[i].total_mj;
  } catch (const Error& error) {
    // Without the original's there is no scale; of several, one may be at fault.
    const bool is_unscaled =
        points.size() == 1 && points[0].id == kOriginalId && !points[0].energy_mj;
    if (error.kind() != ErrorKind::kDevice || is_unscaled) throw;
    observer_->Note(Text(points.size() == 1 ? points[0].id + ": " : std::string(), error.what()));
    for (size_t i = 0; points.size() > 1 && i < points.size(); ++i) {
      observer_->StopIfAsked();
      energies[i] = MeasureEnergies({points[i]}, seconds_each)[0];
    }
  }
  return energies;
}

std::optional<Interval> PointBench::LatencyOf(const PlanTiming& plan, const std::string& id) {
  const Measurement& measurement = plan.timing.measurement;
  if (!measurement.has_latency()) observer_->Note(WhyNot(measurement, id));
  return measurement.latency_ms;
}

Interval PointBench::LatencyOfOriginal(const PlanTiming& plan) {
  const Measurement& measurement = plan.timing.measurement;
  if (!measurement.has_latency()) {
    throw Error(ErrorKind::kDevice, WhyNot(measurement, kOriginalId));
  }
  return *measurement.latency_ms;
}

}  // namespace fettle
