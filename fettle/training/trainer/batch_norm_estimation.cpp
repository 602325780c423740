#include "fettle/training/trainer/batch_norm_estimation.h"

#include <algorithm>
#include <cassert>

#include "fettle/core/shard_threads.h"
#include "fettle/training/data/augmentation.h"
#include "fettle/training/trainer/classifier.h"
#include "fettle/training/trainer/network_pass.h"

namespace fettle {
namespace {

struct Batches {
  int64_t count, images;  // of each
};

Batches Fitting(const Dataset& dataset, int64_t batches, int64_t batch) {
  const int64_t images = std::min(batch, dataset.size());
  return {std::min(batches, dataset.size() / images), images};
}

// The estimates of a batch, a tensor for each parameter.
std::vector<Tensor> Estimates(NetworkPass* pass, const Dataset& dataset, int64_t first) {
  const auto pixels = static_cast<size_t>(ElementCount(dataset.ImageShape()));
  for (int64_t i = 0; i < pass->batch(); ++i) {
    CopyChannelsLast(dataset, first + i, pass->input().data() + static_cast<size_t>(i) * pixels);
  }
  pass->Forward(PassMode::kTraining);
  return pass->gradients();
}

}  // namespace

Graph EstimateBatchNorm(const Graph& graph, const Dataset& dataset, int64_t batches, int64_t batch,
                        const Target& target) {
  assert(batches > 0 && batch > 0 && dataset.size() > 0);
  RequireClassifierOf(graph, dataset);
  const Batches fitting = Fitting(dataset, batches, batch);
  std::vector<Parameter> parameters = ParametersOf(graph);
  std::vector<std::vector<Tensor>> estimates(static_cast<size_t>(fitting.count));
  const int threads = static_cast<int>(std::min<int64_t>(target.threads, fitting.count));
  ForEachShard(threads, threads, [&](int64_t thread) {
    NetworkPass pass(graph, &parameters, fitting.images, DType::kF32, target);
    for (int64_t i = thread; i < fitting.count; i += threads) {
      estimates[static_cast<size_t>(i)] = Estimates(&pass, dataset, i * fitting.images);
    }
  });
  for (size_t p = 0; p < parameters.size(); ++p) {
    if (parameters[p].kind != ParameterKind::kEstimated) continue;
    const std::span<float> values = parameters[p].values.values<float>();
    for (size_t i = 0; i < values.size(); ++i) {
      double sum = 0;
      for (const auto& of_batch : estimates) sum += of_batch[p].values<float>()[i];
      values[i] = static_cast<float>(sum / static_cast<double>(fitting.count));
    }
  }
  return WithParameters(graph, parameters);
}

}  // namespace fettle
