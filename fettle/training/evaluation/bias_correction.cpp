#include "fettle/training/evaluation/bias_correction.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/deploy/default_plan.h"
#include "fettle/network/batch.h"
#include "fettle/network/variants/channel_removal.h"
#include "fettle/network/variants/weighted_layer.h"
#include "fettle/runtime/executor.h"
#include "fettle/training/data/data_sample.h"

namespace fettle {
namespace {

constexpr int64_t kActivationBytes = int64_t{512} << 20;
constexpr int64_t kMostImages = 512;

using Means = std::vector<double>;  // of each channel

// Says when the values of a graph are needed for the last time.
class Lifetimes {
 public:
  explicit Lifetimes(const Graph& graph) : graph_(graph), last_(graph.num_values(), -1) {
    for (size_t n = 0; n < graph.nodes().size(); ++n) {
      for (const ValueId id : graph.nodes()[n].inputs) last_[static_cast<size_t>(id)] = n;
    }
  }

  // Those that nothing needs once node n has run.
  std::vector<ValueId> EndingAt(size_t n) const {
    std::vector<ValueId> ending;
    const Node& node = graph_.nodes()[n];
    for (const ValueId id : node.inputs) {
      if (!graph_.IsConstant(id) && last_[static_cast<size_t>(id)] == n) ending.push_back(id);
    }
    for (const ValueId id : node.outputs) {
      if (last_[static_cast<size_t>(id)] == static_cast<size_t>(-1)) ending.push_back(id);
    }
    std::ranges::sort(ending);
    ending.erase(std::unique(ending.begin(), ending.end()), ending.end());
    return ending;
  }

 private:
  const Graph& graph_;
  std::vector<size_t> last_;
};

// The most bytes of activations that are needed at a time, at the graph's batch.
int64_t PeakBytes(const Graph& graph) {
  const Lifetimes lifetimes(graph);
  const auto bytes_of = [&](ValueId id) { return ByteSize(graph.value(id).type); };
  int64_t bytes = 0, most = 0;
  for (const ValueId id : graph.inputs()) bytes += bytes_of(id);
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    for (const ValueId id : graph.nodes()[n].outputs) bytes += bytes_of(id);
    most = std::max(most, bytes);
    for (const ValueId id : lifetimes.EndingAt(n)) bytes -= bytes_of(id);
  }
  return most;
}

// One node as a network of its own.
Graph Alone(const Graph& graph, const Node& node) {
  Graph alone;
  std::map<ValueId, ValueId> ids;
  std::vector<ValueId> inputs;
  for (const ValueId id : node.inputs) {
    const Value& value = graph.value(id);
    if (!ids.contains(id)) {
      ids[id] = value.constant != nullptr ? alone.AddConstant(value.name, value.constant)
                                          : alone.AddInput(value.name, value.type);
    }
    inputs.push_back(ids[id]);
  }
  for (const ValueId id : alone.AddNode(node.name, node.op, inputs)) alone.AddOutput(id);
  return alone;
}

// Runs a network node by node; `visit` sees what each computes, and may change it.
void RunNodes(const Graph& graph, Tensor images, const PrimitiveList& primitives,
              const Target& target,
              const std::function<void(int node, std::vector<Tensor>* outputs)>& visit) {
  const Lifetimes lifetimes(graph);
  std::map<ValueId, Tensor> values;
  values.emplace(graph.inputs()[0], std::move(images));
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    const Node& node = graph.nodes()[n];
    Executor executor(DefaultPlan(Alone(graph, node), DType::kF32, primitives, target), primitives,
                      target);
    std::vector<const Tensor*> inputs;
    std::vector<ValueId> seen;
    for (const ValueId id : node.inputs) {
      if (graph.IsConstant(id) || std::ranges::find(seen, id) != seen.end()) continue;
      seen.push_back(id);
      inputs.push_back(&values.at(id));
    }
    std::vector<Tensor> outputs;
    for (const ValueId id : node.outputs) outputs.emplace_back(graph.value(id).type);
    std::vector<Tensor*> places;
    for (Tensor& output : outputs) places.push_back(&output);
    executor.Run(inputs, places);
    visit(static_cast<int>(n), &outputs);
    for (size_t i = 0; i < outputs.size(); ++i) {
      values.insert_or_assign(node.outputs[i], std::move(outputs[i]));
    }
    for (const ValueId id : lifetimes.EndingAt(n)) values.erase(id);
  }
}

Means MeansOf(const Tensor& output) {
  const auto channels = static_cast<size_t>(output.shape()[1]);
  const auto images = static_cast<size_t>(output.shape()[0]);
  const size_t plane = static_cast<size_t>(output.num_elements()) / (images * channels);
  Means means(channels);
  const float* value = output.values<float>().data();
  for (size_t i = 0; i < images * channels; ++i) {
    for (size_t p = 0; p < plane; ++p) means[i % channels] += *value++;
  }
  for (double& mean : means) mean /= static_cast<double>(images * plane);
  return means;
}

// The original's means in the order of the changed network's channels.
Means InOrder(const Means& means, const std::string& value, const ChannelOrigins& origins) {
  const auto order = origins.find(value);
  if (order == origins.end()) return means;
  Means ordered;
  for (const int64_t origin : order->second) ordered.push_back(means[static_cast<size_t>(origin)]);
  return ordered;
}

void Shift(const Means& by, Tensor* output) {
  const size_t channels = by.size();
  const auto rows = static_cast<size_t>(output->shape()[0]) * channels;
  const size_t plane = static_cast<size_t>(output->num_elements()) / rows;
  float* value = output->values<float>().data();
  for (size_t i = 0; i < rows; ++i) {
    for (size_t p = 0; p < plane; ++p) *value++ += static_cast<float>(by[i % channels]);
  }
}

// The weighted layers' nodes and the names of what they compute.
std::map<int, std::string> OutputsOf(const Graph& graph) {
  std::map<int, std::string> outputs;
  for (const WeightedLayer& layer : WeightedLayers(graph)) {
    const Node& node = graph.nodes()[static_cast<size_t>(layer.node)];
    outputs[layer.node] = graph.value(node.outputs[0]).name;
  }
  return outputs;
}

int64_t ImagesThatFit(const Graph& graph) {
  const int64_t bytes_an_image = std::max<int64_t>(1, PeakBytes(WithBatch(graph, 1)));
  return std::clamp(kActivationBytes / bytes_an_image, int64_t{1}, kMostImages);
}

}  // namespace

Graph CorrectBiases(const Graph& original, const Graph& changed, const Dataset& dataset,
                    const PrimitiveList& primitives, const Target& target,
                    const ChannelOrigins& origins) {
  if (changed.inputs().size() != 1) {
    throw BadInput("the network has ", changed.inputs().size(),
                   " inputs; biases are corrected where images are its only one");
  }
  RequireFits(dataset, original.value(original.inputs().at(0)).type.shape,
              original.value(original.outputs().at(0)).type.shape.back());
  const Dataset sample =
      Sampled(dataset, {std::min(ImagesThatFit(original), ImagesThatFit(changed))});
  const Tensor images = Images(sample, 0, sample.size());

  std::map<std::string, Means> wanted;
  const std::map<int, std::string> of_original = OutputsOf(original);
  RunNodes(WithBatch(original, sample.size()), images, primitives, target,
           [&](int node, std::vector<Tensor>* outputs) {
             const auto layer = of_original.find(node);
             if (layer != of_original.end()) wanted[layer->second] = MeansOf(outputs->at(0));
           });

  BiasCorrections corrections;
  const std::map<int, std::string> of_changed = OutputsOf(changed);
  RunNodes(WithBatch(changed, sample.size()), images, primitives, target,
           [&](int node, std::vector<Tensor>* outputs) {
             const auto layer = of_changed.find(node);
             if (layer == of_changed.end()) return;
             const auto found = wanted.find(layer->second);
             Means shift = MeansOf(outputs->at(0));
             if (found == wanted.end() || found->second.size() != shift.size()) return;
             const Means means = InOrder(found->second, layer->second, origins);
             if (shift == means) return;
             for (size_t c = 0; c < shift.size(); ++c) shift[c] = means[c] - shift[c];
             Shift(shift, &outputs->at(0));
             corrections[node] = std::move(shift);
           });
  if (corrections.empty()) return changed;
  return RemoveIndices(changed, KeptIndices(changed, {}, {}), corrections);
}

}  // namespace fettle
