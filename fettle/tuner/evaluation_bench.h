#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "fettle/core/statistics.h"
#include "fettle/runtime/executor.h"
#include "fettle/training/data/dataset.h"
#include "fettle/training/evaluation/evaluation.h"

namespace fettle {

// Our evaluation of a model beside ONNX Runtime's, on the same images in the same batches.
struct EvaluationComparison {
  std::string version;    // ONNX Runtime's
  Evaluation peer;        // of every image, from its outputs
  int64_t differing = 0;  // images on which the top classes differ
  // Seconds for all images. Ours: preprocessing, inference and sums; the peer's: inference alone,
  // the binding taken off.
  Interval our_seconds, peer_seconds;
  Interval ratio;  // the peer's time over ours, round by round
};

struct EvaluationRace {
  std::filesystem::path model;  // an ONNX file, the peer's; its batch must be the executor's
  std::filesystem::path peer_script;
  int threads = 1;
  int rounds = 11;
  std::function<void()> before_round = {};  // may throw, to stop
};

// In turns, whose order alternates: we evaluate all images, the peer runs as many batches. Throws
// Error (kDevice) where the peer fails, kBadInput where the model does not fit.
EvaluationComparison CompareEvaluation(Executor* executor, const Evaluation& ours,
                                       const Dataset& dataset, const EvaluationRace& race);

}  // namespace fettle
