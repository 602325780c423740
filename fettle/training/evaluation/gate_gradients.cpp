#include "fettle/training/evaluation/gate_gradients.h"

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/core/shard_threads.h"
#include "fettle/training/data/augmentation.h"
#include "fettle/training/trainer/classifier.h"
#include "fettle/training/trainer/loss.h"
#include "fettle/training/trainer/network_pass.h"

namespace fettle {
namespace {

constexpr int64_t kImagesAtOnce = 64;

std::vector<double> GateGradientsOf(const NodeGradient& node) {
  const Shape& shape = node.type.shape;
  const auto channels = static_cast<size_t>(shape[1]);
  const auto images = static_cast<size_t>(shape[0]);
  const size_t positions = static_cast<size_t>(ElementCount(shape)) / (images * channels);
  const auto* activation = reinterpret_cast<const float*>(node.output);
  const auto* gradient = reinterpret_cast<const float*>(node.gradient);
  std::vector<double> sums(images * channels);
  for (size_t n = 0; n < images; ++n) {
    for (size_t p = 0; p < positions; ++p) {
      for (size_t c = 0; c < channels; ++c) {
        sums[n * channels + c] += static_cast<double>(*activation++) * *gradient++;
      }
    }
  }
  return sums;
}

// The group's channels in what a node computes; null where it has none there.
const ChannelSlice* SliceOf(const ChannelGroup& group, const Node& node) {
  for (const ChannelSlice& slice : group.slices) {
    if (slice.place.value == node.outputs[0] && slice.place.axis == 1) return &slice;
  }
  return nullptr;
}

// What the images of a batch add to each unit's sum of f.
std::vector<double> SumsOf(const Graph& graph, const ChannelGroup& group,
                           const std::vector<const Node*>& nodes, const GateGradients& gates,
                           int64_t images, const std::function<double(double)>& f) {
  std::vector<double> sums(static_cast<size_t>(group.num_units));
  for (int64_t n = 0; n < images; ++n) {
    for (int64_t unit = 0; unit < group.num_units; ++unit) {
      double gate = 0;
      for (const Node* node : nodes) {
        const auto found = gates.find(node->name);
        if (found == gates.end()) continue;
        const auto channels = static_cast<size_t>(graph.value(node->outputs[0]).type.shape[1]);
        for (const int64_t channel : SliceOf(group, *node)->Of(unit)) {
          gate += found->second[static_cast<size_t>(n) * channels + static_cast<size_t>(channel)];
        }
      }
      sums[static_cast<size_t>(unit)] += f(gate);
    }
  }
  return sums;
}

}  // namespace

GateBatches GateBatchesOf(const Dataset& dataset) {
  if (dataset.size() == 0) throw BadInput(dataset.name, ": has no images to take gradients of");
  const int64_t images = std::min(kImagesAtOnce, dataset.size());
  return {images, dataset.size() / images};
}

void ForEachBatchOfGates(
    const Graph& graph, const std::set<std::string>& nodes, const Dataset& dataset,
    const Target& target,
    const std::function<void(size_t batch, const GateGradients& gates)>& visitor) {
  RequireClassifierOf(graph, dataset);
  if (!dataset.is_labelled()) {
    throw BadInput(dataset.name, ": has no labels, which gradients of the loss want");
  }
  const auto [images, batches] = GateBatchesOf(dataset);
  const auto pixels = static_cast<size_t>(ElementCount(dataset.ImageShape()));
  const std::vector<Parameter> parameters = ParametersOf(graph);
  const int64_t shards = std::min<int64_t>(target.threads, batches);
  const int64_t count = batches, at_once = images;
  ForEachShard(shards, target.threads, [&](int64_t shard) {
    Target alone = target;
    alone.threads = 1;
    NetworkPass pass(graph, &parameters, at_once, DType::kF32, alone);
    for (int64_t batch = shard; batch < count; batch += shards) {
      std::vector<int32_t> labels;
      for (int64_t i = 0; i < at_once; ++i) {
        const int64_t index = batch * at_once + i;
        CopyChannelsLast(dataset, index, pass.input().data() + static_cast<size_t>(i) * pixels);
        labels.push_back(dataset.labels[static_cast<size_t>(index)]);
      }
      pass.Forward(PassMode::kTraining);
      CrossEntropy(pass.logits(), labels, 0, 1, pass.logits_gradient());
      GateGradients gates;
      pass.Backward([&](const NodeGradient& node) {
        if (nodes.contains(node.node)) gates[node.node] = GateGradientsOf(node);
      });
      visitor(static_cast<size_t>(batch), gates);
    }
  });
}

const Node& GatedNode(const Graph& graph, const std::vector<std::vector<int>>& readers,
                      int producer) {
  const Node& node = graph.nodes()[static_cast<size_t>(producer)];
  const auto& of_output = readers[static_cast<size_t>(node.outputs[0])];
  if (of_output.size() != 1) return node;
  const Node& reader = graph.nodes()[static_cast<size_t>(of_output[0])];
  return std::holds_alternative<BatchNorm>(reader.op) ? reader : node;
}

std::vector<std::vector<double>> MeanOverGates(const Graph& graph,
                                               const std::vector<ChannelGroup>& groups,
                                               const Dataset& dataset, const Target& target,
                                               const std::function<double(double)>& f) {
  const auto readers = graph.Readers();
  std::vector<std::vector<const Node*>> nodes_of(groups.size());
  std::set<std::string> watched;
  for (size_t g = 0; g < groups.size(); ++g) {
    for (const int producer : groups[g].producers) {
      const Node& node = GatedNode(graph, readers, producer);
      if (SliceOf(groups[g], node) == nullptr) continue;
      nodes_of[g].push_back(&node);
      watched.insert(node.name);
    }
  }
  // Kept by batch and summed in their order, so that the sums do not depend on the threads.
  const GateBatches batches = GateBatchesOf(dataset);
  std::vector<std::vector<std::vector<double>>> sums(static_cast<size_t>(batches.count));
  ForEachBatchOfGates(
      graph, watched, dataset, target, [&](size_t batch, const GateGradients& gates) {
        for (size_t g = 0; g < groups.size(); ++g) {
          sums[batch].push_back(SumsOf(graph, groups[g], nodes_of[g], gates, batches.images, f));
        }
      });
  const double scale =
      1 / (static_cast<double>(batches.count) * static_cast<double>(batches.images));
  std::vector<std::vector<double>> means;
  for (size_t g = 0; g < groups.size(); ++g) {
    means.emplace_back(static_cast<size_t>(groups[g].num_units));
    for (size_t unit = 0; unit < means[g].size(); ++unit) {
      for (const auto& batch : sums) means[g][unit] += scale * batch[g][unit];
    }
  }
  return means;
}

}  // namespace fettle
