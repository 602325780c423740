#include <algorithm>
#include <cassert>

#include "fettle/core/error.h"
#include "fettle/core/shard_threads.h"
#include "fettle/training/trainer/classifier.h"
#include "fettle/training/trainer/network_pass.h"
#include "fettle/training/trainer/trainer.h"

namespace fettle {

void RequireClassifierOf(const Graph& graph, const Dataset& dataset) {
  if (graph.inputs().size() != 1 || graph.outputs().size() != 1) {
    throw BadInput("a classifier of images has one input and one output; the model has ",
                   graph.inputs().size(), " and ", graph.outputs().size());
  }
  const Shape& output = graph.value(graph.outputs()[0]).type.shape;
  RequireFits(dataset, graph.value(graph.inputs()[0]).type.shape,
              output.empty() ? 1 : output.back());
}

Tensor Logits(const Graph& graph, const Dataset& dataset, DType dtype, const Target& target) {
  RequireClassifierOf(graph, dataset);
  constexpr int64_t kImagesAtOnce = 100;
  const int64_t images = std::min(kImagesAtOnce, dataset.size());
  const auto pixels = static_cast<size_t>(ElementCount(dataset.ImageShape()));
  const int64_t num_classes = graph.value(graph.outputs()[0]).type.shape.back();
  const auto classes = static_cast<size_t>(num_classes);
  const std::vector<Parameter> parameters = ParametersOf(graph);
  Tensor logits(TensorType{DType::kF32, {dataset.size(), num_classes}});
  ForEachShard(target.threads, target.threads, [&](int64_t shard) {
    NetworkPass pass(graph, &parameters, images, dtype, target);
    assert(pass.logits().size() == static_cast<size_t>(images) * classes);
    for (int64_t first = shard * images; first < dataset.size(); first += target.threads * images) {
      const int64_t count = std::min(images, dataset.size() - first);
      for (int64_t i = 0; i < count; ++i) {
        CopyChannelsLast(dataset, first + i, pass.input().data() + static_cast<size_t>(i) * pixels);
      }
      pass.Forward(PassMode::kInference);
      std::copy_n(pass.logits().data(), static_cast<size_t>(count) * classes,
                  logits.values<float>().data() + static_cast<size_t>(first) * classes);
    }
  });
  return logits;
}

double Accuracy(const Tensor& logits, const std::vector<int32_t>& labels) {
  const std::span<const float> values = logits.values<float>();
  assert(!labels.empty() && values.size() % labels.size() == 0);
  const size_t classes = values.size() / labels.size();
  size_t right = 0;
  for (size_t n = 0; n < labels.size(); ++n) {
    const float* const row = values.data() + n * classes;
    right += static_cast<size_t>(std::max_element(row, row + classes) - row ==
                                 static_cast<ptrdiff_t>(labels[n]));
  }
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

}  // namespace fettle
