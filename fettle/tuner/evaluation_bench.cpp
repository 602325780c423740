#include "fettle/tuner/evaluation_bench.h"

#include <algorithm>
#include <chrono>
#include <cstring>

#include "fettle/core/error.h"
#include "fettle/device/peers/onnxruntime/onnxruntime_peer.h"

namespace fettle {
namespace {

constexpr int64_t kBatchesATurn = 10;  // of the peer, from which its time for all is reckoned

// The images first ... as the plan's whole batch; what is missing are zeros.
Tensor BatchOf(const Dataset& dataset, int64_t first, const TensorType& type) {
  Tensor batch(type);
  const int64_t count = std::min(type.shape[0], dataset.size() - first);
  const Tensor images = Images(dataset, first, count);
  std::memcpy(batch.bytes(), images.bytes(), images.num_bytes());
  return batch;
}

Evaluation EvaluateByPeer(OnnxRuntimeSession* session, const Dataset& dataset,
                          const TensorType& input, bool is_probability, int64_t classes) {
  EvaluationSum sum(is_probability, classes);
  const int64_t batch = input.shape[0];
  for (int64_t first = 0; first < dataset.size(); first += batch) {
    const std::vector<Tensor> inputs = {BatchOf(dataset, first, input)};
    const std::vector<Tensor> outputs = session->Run(inputs);
    if (outputs.empty() || outputs[0].num_elements() != batch * classes) {
      throw Error(ErrorKind::kDevice, "ONNX Runtime's outputs have another shape than ours");
    }
    for (int64_t i = 0; i < std::min(batch, dataset.size() - first); ++i) {
      std::optional<int32_t> label;
      if (dataset.is_labelled()) label = dataset.labels[static_cast<size_t>(first + i)];
      sum.Add(outputs[0].values<float>().data() + i * classes, label);
    }
  }
  return sum.Result();
}

Interval IntervalOf(const std::vector<double>& samples) {
  const auto interval = MedianInterval(samples);
  if (!interval) throw Error(ErrorKind::kDevice, "too few rounds for an interval");
  return *interval;
}

}  // namespace

EvaluationComparison CompareEvaluation(Executor* executor, const Evaluation& ours,
                                       const Dataset& dataset, const std::filesystem::path& model,
                                       int threads, const std::filesystem::path& peer_script,
                                       int rounds) {
  OnnxRuntimePeerOptions options;
  options.script = peer_script;
  OnnxRuntimePeer peer(options);
  OnnxRuntimeSession session = peer.Load(model, {.threads = threads});
  const Plan& plan = executor->plan();
  const TensorType& input = plan.tensors[static_cast<size_t>(plan.inputs.at(0))].type;
  EvaluationComparison comparison;
  comparison.version = peer.version();
  comparison.peer = EvaluateByPeer(&session, dataset, input, EndsInSoftmax(plan), ours.classes);
  for (size_t i = 0; i < ours.predictions.size(); ++i) {
    comparison.differing += ours.predictions[i] == comparison.peer.predictions[i] ? 0 : 1;
  }

  const double binding_ms = Median(peer.TimeBinding(200, 500));
  const std::vector<Tensor> batch = {BatchOf(dataset, 0, input)};
  const int64_t batches = (dataset.size() + input.shape[0] - 1) / input.shape[0];
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
  std::vector<double> of_ours, of_peer, ratios;
  for (int round = 0; round < rounds; ++round) {
    const bool we_begin = round % 2 == 0;
    double our = we_begin ? our_seconds() : 0;
    const double their = their_seconds();
    if (!we_begin) our = our_seconds();
    of_ours.push_back(our);
    of_peer.push_back(their);
    ratios.push_back(their / our);
  }
  comparison.our_seconds = IntervalOf(of_ours);
  comparison.peer_seconds = IntervalOf(of_peer);
  comparison.ratio = IntervalOf(ratios);
  return comparison;
}

}  // namespace fettle
