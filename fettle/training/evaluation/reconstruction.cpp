#include "fettle/training/evaluation/reconstruction.h"

#include <algorithm>
#include <vector>

#include "fettle/network/macs.h"
#include "fettle/training/evaluation/activation_tap.h"

namespace fettle {
namespace {

struct Pair {
  std::string layer;
  ValueId original = 0, changed = 0;
};

std::vector<Pair> LayersToCompare(const Graph& original, const Graph& changed) {
  std::map<std::string, const Node*> nodes;
  for (const Node& node : changed.nodes()) nodes[node.name] = &node;
  std::vector<Pair> pairs;
  for (const Node& node : original.nodes()) {
    const auto found = nodes.find(node.name);
    if (MacsOf(original, node) == 0 || found == nodes.end()) continue;
    const Node& other = *found->second;
    const auto type = [](const Graph& graph, ValueId id) { return graph.value(id).type; };
    const bool is_comparable = node.inputs.size() >= 2 && other.inputs.size() >= 2 &&
                               type(original, node.outputs[0]) == type(changed, other.outputs[0]) &&
                               type(original, node.inputs[1]) != type(changed, other.inputs[1]);
    if (is_comparable) pairs.push_back({node.name, node.outputs[0], other.outputs[0]});
  }
  return pairs;
}

// Of one layer, over the images seen so far.
struct Sums {
  double squared_error = 0;
  int64_t samples = 0;
  std::vector<double> sum, squares;  // of each channel

  // `order` is null where channels are in their places.
  void Add(const Tensor& was, const Tensor& is, const std::vector<int64_t>* order) {
    const auto channels = static_cast<size_t>(was.shape().size() > 1 ? was.shape()[1] : 1);
    const auto images = static_cast<size_t>(was.shape()[0]);
    const size_t plane = static_cast<size_t>(was.num_elements()) / (images * channels);
    sum.resize(channels);
    squares.resize(channels);
    const float* now = is.values<float>().data();
    for (size_t i = 0; i < images * channels; ++i) {
      const size_t c = i % channels;
      const size_t origin = order == nullptr ? c : static_cast<size_t>((*order)[c]);
      const float* before = was.values<float>().data() + (i - c + origin) * plane;
      for (size_t p = 0; p < plane; ++p, ++before, ++now) {
        const double error = static_cast<double>(*now) - *before;
        squared_error += error * error;
        sum[c] += *before;
        squares[c] += static_cast<double>(*before) * *before;
      }
    }
    samples += static_cast<int64_t>(images * plane);
  }

  double Relative() const {
    double variance = 0;
    for (size_t c = 0; c < sum.size(); ++c) {
      variance += squares[c] - sum[c] * sum[c] / static_cast<double>(samples);
    }
    if (variance > 0) return squared_error / variance;
    return squared_error > 0 ? 1 : 0;
  }
};

}  // namespace

std::map<std::string, double> ReconstructionErrors(const Graph& original, const Graph& changed,
                                                   const Dataset& dataset,
                                                   const PrimitiveList& primitives,
                                                   const Target& target,
                                                   const ChannelOrigins& origins) {
  const std::vector<Pair> pairs = LayersToCompare(original, changed);
  std::map<std::string, double> errors;
  if (pairs.empty()) return errors;
  std::vector<ValueId> of_original, of_changed;
  for (const Pair& pair : pairs) {
    of_original.push_back(pair.original);
    of_changed.push_back(pair.changed);
  }
  ActivationTap before(original, of_original, dataset, primitives, target);
  ActivationTap after(changed, of_changed, dataset, primitives, target);
  std::vector<Sums> sums(pairs.size());
  while (const auto was = before.Next()) {
    const auto is = after.Next();
    for (size_t i = 0; i < pairs.size(); ++i) {
      const auto order = origins.find(changed.value(pairs[i].changed).name);
      sums[i].Add((*was)[i], (*is)[i], order == origins.end() ? nullptr : &order->second);
    }
  }
  for (size_t i = 0; i < pairs.size(); ++i) errors[pairs[i].layer] = sums[i].Relative();
  return errors;
}

}  // namespace fettle
