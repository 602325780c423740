#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "fettle/device/plan_protocol.h"
#include "fettle/training/evaluation/evaluation.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {

// What is measured.
struct BenchTask {
  std::string name;             // as the user named it
  std::filesystem::path model;  // the ONNX file
  std::filesystem::path plan;   // the folder of the plan that is measured
  std::string precision;
  int threads = 1;      // of the default plan and of the peer
  int our_threads = 1;  // of the plan that is measured
  int64_t batch = 1;
};

// How right the plan that was timed is.
struct BenchAccuracy {
  std::string data, split;
  Evaluation ours;
  std::optional<Evaluation> original;  // in f32 with default primitives, on the same images
};

struct BenchResult {
  PlansAnswer plans;  // the chosen one, the default one
  std::optional<PeerComparison> peer;
  std::optional<BenchAccuracy> accuracy;
};

// What `fettle bench` prints: for people, with a table of layers if asked; as JSON.
std::string BenchText(const BenchTask& task, const BenchResult& result, bool with_layers);
std::string BenchJson(const BenchTask& task, const BenchResult& result);

}  // namespace fettle
