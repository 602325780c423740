#include "fettle/tuner/evaluation_bench.h"

#include <algorithm>
#include <chrono>

#include "fettle/core/error.h"
#include "fettle/device/peers/onnxruntime/onnxruntime_peer.h"
#include "fettle/tuner/turns.h"

namespace fettle {
namespace {

constexpr int64_t kBatchesATurn = 10;  // of the peer, from which its time for all is reckoned

}  // namespace

EvaluationComparison CompareEvaluation(Executor* executor, const Evaluation& ours,
                                       const Dataset& dataset, const EvaluationRace& race) {
  OnnxRuntimePeerOptions options;
  options.script = race.peer_script;
  OnnxRuntimePeer peer(options);
  OnnxRuntimeSession session = peer.Load(race.model, {.threads = race.threads});
  const Plan& plan = executor->plan();
  EvaluationComparison comparison;
  comparison.version = peer.version();
  std::vector<Tensor> batch, outputs;  // the last of each
  const auto run = [&](const Tensor& images) -> const Tensor& {
    batch = {images};
    outputs = session.Run(batch);
    const TensorType& expected = plan.tensors[static_cast<size_t>(plan.outputs.at(0))].type;
    if (outputs.empty() || outputs[0].num_elements() != ElementCount(expected)) {
      throw Error(ErrorKind::kDevice, "ONNX Runtime's outputs have another shape than ours");
    }
    return outputs[0];
  };
  comparison.peer = EvaluateBy(run, plan, dataset);
  for (size_t i = 0; i < ours.predictions.size(); ++i) {
    comparison.differing += ours.predictions[i] == comparison.peer.predictions[i] ? 0 : 1;
  }

  const double binding_ms = Median(peer.TimeBinding(200, 500));
  const int64_t batches = (dataset.size() + batch[0].shape()[0] - 1) / batch[0].shape()[0];
  const auto runs = static_cast<int>(std::min(batches, kBatchesATurn));
  const auto their_seconds = [&] {
    const double ms = std::max(1e-6, Median(session.Time(batch, 1, runs)) - binding_ms);
    return 1e-3 * ms * static_cast<double>(batches);
  };
  const auto our_seconds = [&] {
    const auto begin = std::chrono::steady_clock::now();
    Evaluate(executor, dataset);
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
  };
  const Turns turns = TakeTurns(race.rounds, our_seconds, their_seconds, race.before_round);
  comparison.our_seconds = turns.ours;
  comparison.peer_seconds = turns.theirs;
  comparison.ratio = turns.ratio;
  return comparison;
}

}  // namespace fettle
