#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fettle/core/statistics.h"
#include "fettle/device/plan_protocol.h"
#include "fettle/device/worker_client.h"

namespace fettle {

// Plans in a worker, measured against one another; one that fails or takes the worker down has a
// timing that says so. Throws Error (kDevice) where no worker can be started.
PlansAnswer MeasurePlans(WorkerClient* worker, const PlansRequest& request);

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

// Fettle's plan and ONNX Runtime's f32 session of a model, in turns: a round is some 50 ms of each,
// in an order that alternates. Each with so many threads, on inputs of the plan's types. Between a
// round's halves nothing of the other runs, ONNX Runtime's threads do not spin.
PeerComparison CompareWithOnnxRuntime(WorkerClient* worker,
                                      const std::filesystem::path& plan_folder,
                                      const std::filesystem::path& model, int our_threads,
                                      int peer_threads, const std::filesystem::path& peer_script,
                                      int rounds);

}  // namespace fettle
