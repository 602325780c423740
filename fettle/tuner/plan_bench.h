#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "fettle/core/statistics.h"
#include "fettle/device/plan_protocol.h"
#include "fettle/device/worker_client.h"

namespace fettle {

// Plans in a worker, measured against one another; one that fails or takes the worker down has a
// timing that says so. Where some are too slow for a median with an interval in the budget they are
// given, all are measured again with one that suffices. Throws Error (kDevice) where no worker can
// be started.
PlansAnswer MeasurePlans(WorkerClient* worker, const PlansRequest& request);

// Times the plans of a request against one another.
using PlansTimer = std::function<PlansAnswer(const PlansRequest& request)>;

// MeasurePlans in this worker, which outlives it.
PlansTimer TimerOf(WorkerClient* worker);

// What an inference of each takes. Throws Error (kDevice) where that fails, or there is no meter.
EnergyAnswer MeasureEnergy(WorkerClient* worker, const EnergyRequest& request);

// Where the peer's script is: beside an installed program, or in the sources it was built from.
// Throws Error (kDevice) that says how to install it.
std::filesystem::path FindOnnxRuntimePeer(const std::filesystem::path& program);

struct PeerComparison {
  std::string version;       // ONNX Runtime's
  Interval peer_ms, our_ms;  // medians over the rounds
  Interval ratio;            // the peer's time over ours, round by round
  double binding_ms = 0;     // taken off each of the peer's times
  int rounds = 0;
};

struct PeerRace {
  std::filesystem::path plan_folder;  // ours
  std::filesystem::path model;        // an ONNX file, the peer's
  std::filesystem::path peer_script;
  int our_threads = 1, peer_threads = 1;
  int rounds = 31;
  std::function<void()> before_round = {};  // may throw, to stop
};

// Fettle's plan and ONNX Runtime's f32 session of a model, in turns: a round is some 50 ms of each,
// in an order that alternates, on inputs of the plan's types. Between a round's halves nothing of
// the other runs, ONNX Runtime's threads do not spin.
PeerComparison CompareWithOnnxRuntime(WorkerClient* worker, const PeerRace& race);

}  // namespace fettle
