#pragma once

#include "fettle/network/graph.h"
#include "fettle/runtime/layer_graph.h"

namespace fettle {

struct LowerOptions {
  // Only the layers are wanted, to price them: their weights may have any values.
  bool shapes_only = false;
};

// The network as layers: what changes nothing is dropped, batch norm and per-channel arithmetic
// become channel_affine, products with constant matrices become inner_product, a split becomes
// slices; then padding and per-channel arithmetic are folded into the weighted layers beside them,
// and sums of residual branches and activations are fused (lowering_passes.h).
//
// Throws Error (kBadInput), with the node named, for what has no lowered form: weights that are not
// constant.
LayerGraph Lower(Graph graph, const LowerOptions& options = {});

}  // namespace fettle
