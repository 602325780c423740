#include "fettle/network/variants/consumer_reconstruction.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "fettle/core/cholesky.h"
#include "fettle/network/variants/consumer_weights.h"

namespace fettle {
namespace {

// The removed channels of a tensor as functions of those that stay.
struct Prediction {
  std::vector<size_t> kept, removed;
  std::vector<double> slopes;   // A, a row for each removed channel
  std::vector<double> offsets;  // b
};

Prediction Predict(const ActivationStatistics& statistics, const std::vector<int64_t>& stay) {
  const auto channels = static_cast<size_t>(statistics.channels());
  Prediction prediction;
  prediction.kept.assign(stay.begin(), stay.end());
  for (size_t c = 0; c < channels; ++c) {
    if (!std::ranges::binary_search(prediction.kept, c)) prediction.removed.push_back(c);
  }
  const size_t n = prediction.kept.size();
  const auto covariance = [&](size_t a, size_t b) {
    return statistics.covariance[a * channels + b];
  };
  std::vector<double> of_kept(n * n);
  double mean_variance = 0;
  for (size_t i = 0; i < n; ++i) {
    for (size_t k = 0; k < n; ++k) {
      of_kept[i * n + k] = covariance(prediction.kept[i], prediction.kept[k]);
    }
    mean_variance += of_kept[i * n + i] / static_cast<double>(n);
  }
  const double share =
      1e-3 + static_cast<double>(n) / static_cast<double>(std::max<int64_t>(1, statistics.samples));
  for (size_t i = 0; i < n; ++i) of_kept[i * n + i] += share * mean_variance;
  const Cholesky solver(std::move(of_kept), n);
  prediction.slopes.resize(prediction.removed.size() * n);
  for (size_t r = 0; r < prediction.removed.size(); ++r) {
    const std::span<double> slopes(prediction.slopes.data() + r * n, n);
    double offset = statistics.mean[prediction.removed[r]];
    // Channels that never change predict nothing.
    if (mean_variance > 0) {
      for (size_t k = 0; k < n; ++k) {
        slopes[k] = covariance(prediction.removed[r], prediction.kept[k]);
      }
      solver.Solve(slopes);
      for (size_t k = 0; k < n; ++k) offset -= slopes[k] * statistics.mean[prediction.kept[k]];
    }
    prediction.offsets.push_back(offset);
  }
  return prediction;
}

class Reconstruction {
 public:
  Reconstruction(const Graph& graph, const KeptIndices& kept, const Calibration& calibration)
      : graph_(graph), kept_(kept), calibration_(calibration), readers_(graph.Readers()) {}

  ConsumerReconstruction Run() {
    for (size_t n = 0; n < graph_.nodes().size(); ++n) Reconstruct(static_cast<int>(n));
    return std::move(result_);
  }

 private:
  // Null where the node cannot be reconstructed.
  const ActivationStatistics* StatisticsFor(const Node& node,
                                            const ConsumerWeights& weights) const {
    const bool has_own_weights = readers_[static_cast<size_t>(node.inputs[1])].size() == 1;
    const auto found = calibration_.values.find(graph_.value(node.inputs[0]).name);
    if (weights.groups != 1 || !has_own_weights || found == calibration_.values.end())
      return nullptr;
    const ActivationStatistics& statistics = found->second;
    const bool is_fit = static_cast<size_t>(statistics.channels()) == weights.inputs &&
                        statistics.covariance.size() == weights.inputs * weights.inputs;
    return is_fit ? &statistics : nullptr;
  }

  const Prediction& PredictionOf(ValueId input, const ActivationStatistics& statistics) {
    const auto [place, is_new] = predictions_.try_emplace(input);
    if (is_new) place->second = Predict(statistics, *kept_.Of({input, 1}));
    return place->second;
  }

  void Reconstruct(int n) {
    const Node& node = graph_.nodes()[static_cast<size_t>(n)];
    if (node.inputs.empty() || kept_.Of({node.inputs[0], 1}) == nullptr) return;
    const auto old = ConsumerWeights::Of(graph_, node);
    if (!old) return;
    const ActivationStatistics* const statistics = StatisticsFor(node, *old);
    if (statistics == nullptr) return;
    const Prediction& prediction = PredictionOf(node.inputs[0], *statistics);
    auto weights = std::make_shared<Tensor>(*graph_.value(node.inputs[1]).constant);
    std::vector<double> bias(old->outputs);
    for (size_t t = 0; t < old->outputs; ++t) {
      bias[t] = old->scale * MoveToKept(prediction, *old, t, weights->values<float>());
    }
    result_.weights[node.inputs[1]] = std::move(weights);
    result_.biases[n] = std::move(bias);
  }

  // Moves an output's weights of removed channels to those that stay; answers what is left for the
  // bias.
  static double MoveToKept(const Prediction& prediction, const ConsumerWeights& layout,
                           size_t output, std::span<float> weights) {
    const size_t n = prediction.kept.size();
    double bias = 0;
    std::vector<double> moved(n);
    for (size_t tap = 0; tap < layout.taps; ++tap) {
      std::ranges::fill(moved, 0.0);
      for (size_t r = 0; r < prediction.removed.size(); ++r) {
        const double weight = weights[layout.Place(output, prediction.removed[r]) + tap];
        bias += weight * prediction.offsets[r];
        const double* const slopes = prediction.slopes.data() + r * n;
        for (size_t k = 0; k < n; ++k) moved[k] += weight * slopes[k];
      }
      for (size_t k = 0; k < n; ++k) {
        weights[layout.Place(output, prediction.kept[k]) + tap] += static_cast<float>(moved[k]);
      }
    }
    return bias;
  }

  const Graph& graph_;
  const KeptIndices& kept_;
  const Calibration& calibration_;
  const std::vector<std::vector<int>> readers_;
  std::map<ValueId, Prediction> predictions_;  // several may read a tensor
  ConsumerReconstruction result_;
};

}  // namespace

ConsumerReconstruction ReconstructConsumers(const Graph& graph, const KeptIndices& kept,
                                            const Calibration& calibration) {
  return Reconstruction(graph, kept, calibration).Run();
}

}  // namespace fettle
