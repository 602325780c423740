#include "fettle/network/variants/weighted_layer.h"

#include <algorithm>
#include <bit>
#include <span>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/network/variants/consumer_weights.h"

namespace fettle {
namespace {

bool AreFinite(std::span<const float> values) {
  constexpr uint32_t kExponent = 0x7f800000;
  bool are_finite = true;
  for (const float value : values) {
    are_finite &= (std::bit_cast<uint32_t>(value) & kExponent) != kExponent;
  }
  return are_finite;
}

}  // namespace

std::variant<WeightedLayer, std::string> AsWeightedLayer(const Graph& graph, int n) {
  const Node& node = graph.nodes()[static_cast<size_t>(n)];
  const auto weights = ConsumerWeights::Of(graph, node);
  const auto* conv = std::get_if<Conv>(&node.op);
  const bool is_weighted = conv != nullptr || std::holds_alternative<Gemm>(node.op) ||
                           std::holds_alternative<MatMul>(node.op);
  if (!is_weighted) return Text("a ", NameOf(node.op), " has no weights to rewrite");
  if (!weights) {
    return std::string(
        "its weights or its bias are no constants of f32, or what they multiply is no [N,S]");
  }
  if (conv != nullptr && conv->window.kernel.size() != 2) {
    return std::string("it is no convolution over two axes");
  }
  if (!AreFinite(weights->values)) return std::string("its weights are not all finite");
  WeightedLayer layer;
  layer.name = node.name;
  layer.node = n;
  layer.is_conv = conv != nullptr;
  layer.outputs = static_cast<int64_t>(weights->outputs);
  layer.groups = static_cast<int64_t>(weights->groups);
  layer.inputs = static_cast<int64_t>(weights->inputs) * layer.groups;
  layer.window = conv != nullptr ? conv->window : Window{{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}};
  layer.input = graph.value(node.inputs[0]).type;
  return layer;
}

std::vector<WeightedLayer> WeightedLayers(const Graph& graph) {
  std::vector<WeightedLayer> layers;
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    auto layer = AsWeightedLayer(graph, static_cast<int>(n));
    if (auto* found = std::get_if<WeightedLayer>(&layer)) layers.push_back(std::move(*found));
  }
  return layers;
}

WeightedLayer FindWeightedLayer(const Graph& graph, std::string_view name) {
  for (size_t n = 0; n < graph.nodes().size(); ++n) {
    if (graph.nodes()[n].name != name) continue;
    auto layer = AsWeightedLayer(graph, static_cast<int>(n));
    if (auto* found = std::get_if<WeightedLayer>(&layer)) return std::move(*found);
    throw BadInput("layer '", name, "' cannot be rewritten: ", std::get<std::string>(layer));
  }
  throw BadInput("there is no layer '", name, "'; `fettle inspect` lists them");
}

Matrix KernelOf(const Graph& graph, const WeightedLayer& layer) {
  const auto weights =
      ConsumerWeights::Of(graph, graph.nodes()[static_cast<size_t>(layer.node)]).value();
  Matrix kernel(weights.outputs, weights.inputs * weights.taps);
  for (size_t t = 0; t < weights.outputs; ++t) {
    for (size_t s = 0; s < weights.inputs; ++s) {
      const float* const taps = weights.values.data() + weights.Place(t, s);
      for (size_t tap = 0; tap < weights.taps; ++tap) {
        kernel(t, s * weights.taps + tap) = weights.scale * static_cast<double>(taps[tap]);
      }
    }
  }
  return kernel;
}

bool SharesConstant(const Graph& graph, const WeightedLayer& layer, size_t input) {
  const ValueId id = graph.nodes()[static_cast<size_t>(layer.node)].inputs.at(input);
  int64_t readers = 0;
  for (const Node& node : graph.nodes()) readers += std::ranges::count(node.inputs, id);
  return readers > 1;
}

std::string NameOfNewConstant(const Graph& graph, const WeightedLayer& layer, size_t input) {
  const Node& node = graph.nodes()[static_cast<size_t>(layer.node)];
  const bool goes = input < node.inputs.size() && !SharesConstant(graph, layer, input);
  return goes ? graph.value(node.inputs[input]).name
              : layer.name + (input == 1 ? ".weight" : ".bias");
}

std::vector<double> BiasOf(const Graph& graph, const WeightedLayer& layer) {
  const Node& node = graph.nodes()[static_cast<size_t>(layer.node)];
  std::vector<double> bias(static_cast<size_t>(layer.outputs));
  if (node.inputs.size() < 3) return bias;
  const auto* gemm = std::get_if<Gemm>(&node.op);
  const double scale = gemm != nullptr ? gemm->beta : 1;
  const auto values = graph.value(node.inputs[2]).constant->values<float>();
  for (size_t t = 0; t < bias.size(); ++t) bias[t] = scale * static_cast<double>(values[t]);
  return bias;
}

const Moments* InputMoments(const Graph& graph, const WeightedLayer& layer,
                            const Calibration* calibration) {
  if (calibration == nullptr || layer.groups != 1) return nullptr;
  const Moments* moments = nullptr;
  const bool is_padded = layer.window.pads_begin != std::vector<int64_t>{0, 0} ||
                         layer.window.pads_end != std::vector<int64_t>{0, 0};
  const auto patches = calibration->patches.find(layer.name);
  if (patches != calibration->patches.end()) {
    moments = &patches->second;
  } else if (layer.taps() == 1 && !is_padded) {
    const ValueId input = graph.nodes()[static_cast<size_t>(layer.node)].inputs[0];
    const auto value = calibration->values.find(graph.value(input).name);
    if (value != calibration->values.end()) moments = &value->second;
  }
  const auto size = static_cast<size_t>(layer.patch());
  const bool is_fit = moments != nullptr && moments->samples > 0 && moments->size() == size &&
                      moments->covariance.size() == size * size;
  return is_fit ? moments : nullptr;
}

}  // namespace fettle
