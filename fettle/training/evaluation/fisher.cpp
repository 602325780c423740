#include "fettle/training/evaluation/fisher.h"

#include <algorithm>
#include <map>
#include <set>
#include <string>

#include "fettle/core/error.h"
#include "fettle/training/data/augmentation.h"
#include "fettle/training/trainer/classifier.h"
#include "fettle/training/trainer/loss.h"
#include "fettle/training/trainer/network_pass.h"
#include "fettle/training/trainer/shard_threads.h"

namespace fettle {
namespace {

constexpr int64_t kImagesAtOnce = 64;

// sum_ij A_nij g_nij of a node's channels: [N,C].
using GateGradients = std::map<std::string, std::vector<double>>;

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

// Runs whole batches of the dataset forward and backward; `visitor` gets the gate gradients of
// these nodes, batch by batch, in any order and from several threads.
template <typename Visitor>
void ForEachBatch(const Graph& graph, const std::set<std::string>& nodes, const Dataset& dataset,
                  const Target& target, const Visitor& visitor) {
  RequireClassifierOf(graph, dataset);
  if (!dataset.is_labelled()) throw BadInput(dataset.name, ": Fisher information wants labels");
  const int64_t images = std::min(kImagesAtOnce, dataset.size());
  const int64_t batches = dataset.size() / images;
  const auto pixels = static_cast<size_t>(ElementCount(dataset.ImageShape()));
  const std::vector<Parameter> parameters = ParametersOf(graph);
  const int64_t shards = std::min<int64_t>(target.threads, batches);
  ForEachShard(shards, target.threads, [&](int64_t shard) {
    Target alone = target;
    alone.threads = 1;
    NetworkPass pass(graph, &parameters, images, DType::kF32, alone);
    for (int64_t batch = shard; batch < batches; batch += shards) {
      std::vector<int32_t> labels;
      for (int64_t i = 0; i < images; ++i) {
        const int64_t index = batch * images + i;
        CopyChannelsLast(dataset, index, pass.input().data() + static_cast<size_t>(i) * pixels);
        labels.push_back(dataset.labels[static_cast<size_t>(index)]);
      }
      pass.Forward(PassMode::kTraining);
      CrossEntropy(pass.logits(), labels, 0, 1, pass.logits_gradient());
      GateGradients gates;
      pass.Backward([&](const NodeGradient& node) {
        if (nodes.contains(node.node)) gates[node.node] = GateGradientsOf(node);
      });
      visitor(static_cast<size_t>(batch), images, gates);
    }
  });
}

// The node behind which a producer's channels are looked at: the batch norm that alone reads them.
const Node& GatedNode(const Graph& graph, const std::vector<std::vector<int>>& readers,
                      int producer) {
  const Node& node = graph.nodes()[static_cast<size_t>(producer)];
  const auto& of_output = readers[static_cast<size_t>(node.outputs[0])];
  if (of_output.size() != 1) return node;
  const Node& reader = graph.nodes()[static_cast<size_t>(of_output[0])];
  return std::holds_alternative<BatchNorm>(reader.op) ? reader : node;
}

// The group's channels in what a node computes; null where it has none there.
const ChannelSlice* SliceOf(const ChannelGroup& group, const Node& node) {
  for (const ChannelSlice& slice : group.slices) {
    if (slice.place.value == node.outputs[0] && slice.place.axis == 1) return &slice;
  }
  return nullptr;
}

// What the images of a batch add to each unit's sum of squares.
std::vector<double> SquaresOf(const Graph& graph, const ChannelGroup& group,
                              const std::vector<const Node*>& nodes, const GateGradients& gates,
                              int64_t images) {
  std::vector<double> squares(static_cast<size_t>(group.num_units));
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
      squares[static_cast<size_t>(unit)] += gate * gate;
    }
  }
  return squares;
}

}  // namespace

std::vector<std::vector<double>> FisherInformation(const Graph& graph,
                                                   const std::vector<ChannelGroup>& groups,
                                                   const Dataset& dataset, const Target& target) {
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
  const int64_t images = std::min(kImagesAtOnce, dataset.size());
  const auto batches = static_cast<size_t>(dataset.size() / images);
  std::vector<std::vector<std::vector<double>>> squares(batches);
  ForEachBatch(graph, watched, dataset, target,
               [&](size_t batch, int64_t count, const GateGradients& gates) {
                 for (size_t g = 0; g < groups.size(); ++g) {
                   squares[batch].push_back(SquaresOf(graph, groups[g], nodes_of[g], gates, count));
                 }
               });
  const double scale = 1 / (2.0 * static_cast<double>(batches) * static_cast<double>(images));
  std::vector<std::vector<double>> information;
  for (size_t g = 0; g < groups.size(); ++g) {
    information.emplace_back(static_cast<size_t>(groups[g].num_units));
    for (size_t unit = 0; unit < information[g].size(); ++unit) {
      for (const auto& batch : squares) information[g][unit] += scale * batch[g][unit];
    }
  }
  return information;
}

double FisherPotential(const Graph& graph, const Dataset& dataset, const Target& target) {
  const auto readers = graph.Readers();
  std::set<std::string> watched;
  const std::vector<ChannelProducer> producers = FindChannelProducers(graph);
  for (size_t i = 0; i + 1 < producers.size(); ++i) {  // the last one computes the logits
    watched.insert(GatedNode(graph, readers, producers[i].node).name);
  }
  const int64_t images = std::min(kImagesAtOnce, dataset.size());
  std::vector<double> squares(static_cast<size_t>(dataset.size() / images));
  ForEachBatch(graph, watched, dataset, target,
               [&](size_t batch, int64_t, const GateGradients& gates) {
                 for (const auto& [node, sums] : gates) {
                   for (const double gate : sums) squares[batch] += gate * gate;
                 }
               });
  double sum = 0;
  for (const double square : squares) sum += square;
  return sum / (2.0 * static_cast<double>(squares.size()) * static_cast<double>(images));
}

}  // namespace fettle
