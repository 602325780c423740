#include "fettle/tuner/plan_bench.h"

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/device/peers/onnxruntime/onnxruntime_peer.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/tuner/turns.h"

namespace fettle {
namespace {

constexpr double kRoundMs = 50;
constexpr double kRunsOfAnInterval = kFewestForMedianInterval + 0.5;

PlansAnswer AskForPlans(WorkerClient* worker, const PlansRequest& request) {
  const double budget = std::chrono::duration<double>(request.options.contender_budget).count() + 2;
  const auto seconds =
      static_cast<int64_t>(300 + 4 * budget * static_cast<double>(request.folders.size()));
  return worker->MeasurePlans(request, std::chrono::seconds(seconds));
}

// The slowest run of those that came to an end too seldom for an interval; 0 where there are none.
double SlowestWithoutInterval(const PlansAnswer& answer) {
  double slowest = 0;
  for (const PlanTiming& plan : answer.plans) {
    const Measurement& measurement = plan.timing.measurement;
    if (measurement.has_latency() || measurement.samples_ms.empty()) continue;
    slowest = std::max(slowest, std::ranges::max(measurement.samples_ms));
  }
  return slowest;
}

std::vector<Tensor> RandomInputs(const Plan& plan) {
  std::vector<Tensor> inputs;
  Random random(1);
  for (const int id : plan.inputs) {
    inputs.emplace_back(plan.tensors[static_cast<size_t>(id)].type);
    if (inputs.back().dtype() != DType::kF32) continue;
    for (float& value : inputs.back().values<float>()) value = static_cast<float>(random.Normal());
  }
  return inputs;
}

}  // namespace

PlansAnswer MeasurePlans(WorkerClient* worker, const PlansRequest& request) {
  PlansAnswer answer = AskForPlans(worker, request);
  const double slowest_ms = SlowestWithoutInterval(answer);
  if (slowest_ms == 0) return answer;
  PlansRequest patient = request;
  patient.options.contender_budget = std::max<std::chrono::nanoseconds>(
      request.options.contender_budget,
      std::chrono::milliseconds(static_cast<int64_t>(std::ceil(kRunsOfAnInterval * slowest_ms))));
  return AskForPlans(worker, patient);
}

PlansTimer TimerOf(WorkerClient* worker) {
  return [worker](const PlansRequest& request) { return MeasurePlans(worker, request); };
}

EnergyAnswer MeasureEnergy(WorkerClient* worker, const EnergyRequest& request) {
  const double trial = std::chrono::duration<double>(request.options.window).count() + 0.1;
  const auto seconds = static_cast<int64_t>(
      60 + 4 * trial * request.options.trials * static_cast<double>(request.folders.size() + 2));
  const Reply reply =
      worker->Ask(kMeasureEnergyKind, BodyOf(request), std::chrono::seconds(seconds));
  if (reply.status == ReplyStatus::kError) throw Error(reply.error.kind, reply.error.message);
  if (reply.status != ReplyStatus::kAnswer) {
    throw Error(ErrorKind::kDevice, Text("while measuring energy: ", reply.detail));
  }
  EnergyAnswer answer = ParseEnergyAnswer(reply.body);
  if (answer.plans.size() != request.folders.size()) {
    throw Error(ErrorKind::kDevice, "the worker's answer misses the energy of a network");
  }
  for (const Energy& energy : answer.plans) {
    if (energy.failure.empty()) continue;
    throw Error(ErrorKind::kDevice, Text("while measuring energy: ", energy.failure));
  }
  return answer;
}

std::filesystem::path FindOnnxRuntimePeer(const std::filesystem::path& program) {
  for (const std::filesystem::path& folder :
       {program.parent_path().parent_path() / "share" / "fettle" / "onnxruntime",
        std::filesystem::path(FETTLE_SOURCE_FOLDER) / "tools" / "onnxruntime"}) {
    if (std::filesystem::exists(folder / "node_modules" / "onnxruntime-node")) {
      return folder / "peer.mjs";
    }
  }
  throw Error(ErrorKind::kDevice,
              "ONNX Runtime is not installed; run share/fettle/install_peer where Fettle is "
              "installed, or tools/install_peer in its sources");
}

PeerComparison CompareWithOnnxRuntime(WorkerClient* worker, const PeerRace& race) {
  OnnxRuntimePeerOptions peer_options;
  peer_options.script = race.peer_script;
  OnnxRuntimePeer peer(peer_options);
  OnnxRuntimeSession session = peer.Load(race.model, {.threads = race.peer_threads});
  const std::vector<Tensor> inputs = RandomInputs(ReadPlan(race.plan_folder));

  PlansRequest request;
  request.folders = {race.plan_folder.string()};
  request.threads = race.our_threads;
  // One round of ours: a fixed short time, whatever its interval.
  request.options.relative_width = 1e-6;
  request.options.contender_budget = std::chrono::milliseconds(static_cast<int64_t>(kRoundMs));
  request.options.warm_up_budget = std::chrono::milliseconds(20);
  const auto ours = [&] {
    const Measurement measurement = AskForPlans(worker, request).plans.at(0).timing.measurement;
    if (measurement.samples_ms.empty()) {
      throw Error(ErrorKind::kDevice,
                  Text("our network could not be measured: ", measurement.detail));
    }
    return Median(measurement.samples_ms);
  };

  PeerComparison comparison;
  comparison.version = peer.version();
  comparison.binding_ms = Median(peer.TimeBinding(200, 500));
  const double first = Median(session.Time(inputs, 5, 10));
  const int runs = std::clamp(static_cast<int>(kRoundMs / std::max(first, 1e-3)), 3, 2000);
  const auto theirs = [&] {
    return std::max(1e-6, Median(session.Time(inputs, 2, runs)) - comparison.binding_ms);
  };
  const Turns turns = TakeTurns(race.rounds, ours, theirs, race.before_round);
  comparison.rounds = race.rounds;
  comparison.our_ms = turns.ours;
  comparison.peer_ms = turns.theirs;
  comparison.ratio = turns.ratio;
  return comparison;
}

}  // namespace fettle
