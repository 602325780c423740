#include "fettle/deploy/fuse_inverted_residual.h"

#include <algorithm>
#include <utility>

#include "fettle/deploy/layer_graph_edit.h"

namespace fettle {
namespace {

// A convolution in f32 whose filters are constants, with what it adds to its result being no more
// than a bias.
const Conv* PlainConv(const LayerSpec& spec) {
  const auto* conv = std::get_if<Conv>(&spec.op);
  const bool is_plain = conv != nullptr && spec.output.dtype == DType::kF32 &&
                        spec.inputs.size() == (spec.adds_residual ? 2 : 1) &&
                        !spec.weights.empty() && spec.weights[0].dtype == DType::kF32;
  return is_plain ? conv : nullptr;
}

bool IsPointwise(const LayerSpec& spec) {
  const Conv* conv = PlainConv(spec);
  if (conv == nullptr || conv->groups != 1) return false;
  const Window& window = conv->window;
  const auto are_all = [](const std::vector<int64_t>& values, int64_t value) {
    return std::ranges::all_of(values, [=](int64_t each) { return each == value; });
  };
  return are_all(window.kernel, 1) && are_all(window.strides, 1) && are_all(window.pads_begin, 0) &&
         are_all(window.pads_end, 0);
}

bool HasOneFilterAChannel(const LayerSpec& spec) {
  const Conv* conv = PlainConv(spec);
  return conv != nullptr && !spec.adds_residual && conv->groups == spec.inputs[0].shape[1] &&
         conv->groups == spec.output.shape[1];
}

// The filters and the bias of a convolution; zeros where it has none.
void AddWeights(const Layer& conv, Layer* composite) {
  const TensorType bias{DType::kF32, {conv.spec.output.shape[1]}};
  composite->spec.weights.push_back(conv.spec.weights[0]);
  composite->spec.weights.push_back(bias);
  if (conv.weights.empty()) return;  // a network without values
  composite->weights.push_back(conv.weights[0]);
  composite->weights.push_back(conv.weights.size() > 1 ? conv.weights[1]
                                                       : std::make_shared<Tensor>(bias));
}

std::vector<size_t> LayersOf(const FusibleBlock& block) {
  std::vector<size_t> layers = {block.filters, block.projection};
  if (block.expansion) layers.push_back(*block.expansion);
  return layers;
}

}  // namespace

std::vector<FusibleBlock> FusibleBlocks(const LayerGraph& graph) {
  LayerGraph copy = graph;  // of which nothing is changed
  const LayerGraphEdit edit(&copy);
  std::vector<FusibleBlock> blocks;
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    const Layer& projection = graph.layers[i];
    if (!IsPointwise(projection.spec)) continue;
    const int filters = edit.SoleProducer(projection.inputs[0], static_cast<int>(i));
    if (filters < 0) continue;
    const Layer& middle = graph.layers[static_cast<size_t>(filters)];
    if (!HasOneFilterAChannel(middle.spec)) continue;
    FusibleBlock block{std::nullopt, static_cast<size_t>(filters), i};
    blocks.push_back(block);
    const int expansion = edit.SoleProducer(middle.inputs[0], filters);
    if (expansion < 0) continue;
    const LayerSpec& spec = graph.layers[static_cast<size_t>(expansion)].spec;
    if (!IsPointwise(spec) || spec.adds_residual) continue;
    block.expansion = static_cast<size_t>(expansion);
    blocks.push_back(block);
  }
  return blocks;
}

Layer CompositeOf(const LayerGraph& graph, const FusibleBlock& block) {
  const Layer& filters = graph.layers[block.filters];
  const Layer* expansion = block.expansion ? &graph.layers[*block.expansion] : nullptr;
  const Layer& first = expansion == nullptr ? filters : *expansion;
  InvertedResidual op;
  op.expands = expansion != nullptr;
  if (expansion != nullptr) op.expanded = expansion->spec.activation;
  op.window = std::get<Conv>(filters.spec.op).window;
  op.filtered = filters.spec.activation;

  const Layer& projection = graph.layers[block.projection];
  Layer composite = projection;
  composite.spec.op = std::move(op);
  composite.spec.inputs[0] = first.spec.inputs[0];
  composite.inputs[0] = first.inputs[0];
  composite.spec.weights.clear();
  composite.weights.clear();
  composite.spec.density = 1;  // which speaks of the first weight
  composite.spec.sparse_block = 1;
  if (expansion != nullptr) AddWeights(*expansion, &composite);
  AddWeights(filters, &composite);
  AddWeights(projection, &composite);
  return composite;
}

bool AreApart(const FusibleBlock& a, const FusibleBlock& b) {
  for (const size_t layer : LayersOf(a)) {
    if (std::ranges::count(LayersOf(b), layer) > 0) return false;
  }
  return true;
}

LayerGraph FuseBlocks(LayerGraph graph, std::span<const FusibleBlock> blocks) {
  LayerGraphEdit edit(&graph);
  for (const FusibleBlock& block : blocks) {
    // Where the projection stood its residual has been computed.
    graph.layers[block.projection] = CompositeOf(graph, block);
    edit.Remove(static_cast<int>(block.filters));
    if (block.expansion) edit.Remove(static_cast<int>(*block.expansion));
  }
  edit.Finish();
  return graph;
}

}  // namespace fettle
