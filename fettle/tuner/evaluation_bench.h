#pragma once

#include <filesystem>
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

// In turns, whose order alternates: we evaluate all images, the peer runs as many batches. Both
// with so many threads; the model's batch must be the executor's. Throws Error (kDevice) where the
// peer fails, kBadInput where the model does not fit.
EvaluationComparison CompareEvaluation(Executor* executor, const Evaluation& ours,
                                       const Dataset& dataset, const std::filesystem::path& model,
                                       int threads, const std::filesystem::path& peer_script,
                                       int rounds);

}  // namespace fettle
