#pragma once

#include <optional>
#include <span>
#include <vector>

#include "fettle/runtime/layer_graph.h"

namespace fettle {

// A convolution with one filter a channel and the pointwise ones around it, of a lowered network,
// which one composite layer can compute (InvertedResidual in core/op.h). Indices of layers.
struct FusibleBlock {
  std::optional<size_t> expansion;
  size_t filters = 0, projection = 0;

  friend bool operator==(const FusibleBlock&, const FusibleBlock&) = default;
};

// All of them: for each convolution with one filter a channel that only a pointwise one reads, the
// block of these two and, where what comes before is a pointwise one as well, read by nothing else,
// that of all three. So blocks may share layers.
std::vector<FusibleBlock> FusibleBlocks(const LayerGraph& graph);

// The composite layer that would take the block's place: with the name of its projection, and what
// that adds and applies to its result.
Layer CompositeOf(const LayerGraph& graph, const FusibleBlock& block);

// Whether no layer is in both.
bool AreApart(const FusibleBlock& a, const FusibleBlock& b);

// The network with these blocks, all apart from each other, as composite layers, each where its
// projection stood; the others stay in their order. What the network computes stays the same but
// for rounding.
LayerGraph FuseBlocks(LayerGraph graph, std::span<const FusibleBlock> blocks);

}  // namespace fettle
