#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/device/energy_measurer.h"
#include "fettle/device/layer_bench.h"
#include "fettle/device/timing.h"

// The bodies of "measure_plans" and "measure_energy": whole networks measured against one another
// in one process.
// Parse functions throw Error (kDevice) where the text is no such body.

namespace fettle {

inline constexpr std::string_view kMeasurePlansKind = "measure_plans";

struct PlansRequest {
  std::vector<std::string> folders;  // each with a plan.json, on the worker's machine
  int threads = 0;                   // 0: each plan's own
  TimingOptions options;
  bool wants_steps = false;  // the time of each step as well
  uint64_t data_seed = 1;    // of the inputs

  friend bool operator==(const PlansRequest&, const PlansRequest&) = default;
};

// What a step took within the network.
struct StepTiming {
  std::string layer, implementation;
  double ms = 0;                   // median
  std::vector<double> samples_ms;  // a run each

  friend bool operator==(const StepTiming&, const StepTiming&) = default;
};

struct PlanTiming {
  Timing timing;
  // Bytes as planned: activations and scratch, inputs and outputs, weights as executed.
  int64_t arena_bytes = 0, input_output_bytes = 0, weight_bytes = 0;
  // What the process's own memory grew by for the plan: at its most while it ran, and at its most
  // while it was read and prepared (weights as stored beside weights as executed). Nothing where
  // the system does not tell or its peak cannot be reset.
  std::optional<int64_t> measured_bytes, loading_bytes;
  std::vector<StepTiming> steps;

  int64_t planned_bytes() const { return arena_bytes + input_output_bytes + weight_bytes; }

  friend bool operator==(const PlanTiming&, const PlanTiming&) = default;
};

struct PlansAnswer {
  std::vector<PlanTiming> plans;  // one for each folder, in order

  friend bool operator==(const PlansAnswer&, const PlansAnswer&) = default;
};

// What the worker is about to do: read and prepare a plan and run it for the first time, or run it
// for the first time to be measured.
struct PlanProgress {
  BenchStage stage = BenchStage::kPreparing;
  size_t plan = 0;  // in the order of the request

  friend bool operator==(const PlanProgress&, const PlanProgress&) = default;
};

inline constexpr std::string_view kMeasureEnergyKind = "measure_energy";

// Answered with an error (kDevice) where there is no meter.
struct EnergyRequest {
  std::vector<std::string> folders;
  int threads = 0;  // 0: each plan's own
  EnergyOptions options;
  uint64_t data_seed = 1;

  friend bool operator==(const EnergyRequest&, const EnergyRequest&) = default;
};

struct EnergyAnswer {
  std::vector<Energy> plans;  // one for each folder, in order

  friend bool operator==(const EnergyAnswer&, const EnergyAnswer&) = default;
};

std::string BodyOf(const PlansRequest& request);
std::string BodyOf(const PlansAnswer& answer);
std::string BodyOf(const PlanProgress& progress);
PlansRequest ParsePlansRequest(std::string_view body);
PlansAnswer ParsePlansAnswer(std::string_view body);
PlanProgress ParsePlanProgress(std::string_view body);
std::string BodyOf(const EnergyRequest& request);
std::string BodyOf(const EnergyAnswer& answer);
EnergyRequest ParseEnergyRequest(std::string_view body);
EnergyAnswer ParseEnergyAnswer(std::string_view body);

}  // namespace fettle
