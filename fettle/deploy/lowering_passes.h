#pragma once

#include "fettle/runtime/layer_graph.h"

namespace fettle {

// The passes of Lower(), in the order in which it runs them. Each keeps what the network computes,
// up to the rounding of folded weights. A tensor that is an output of the network is never fused
// away, nor one with several readers.

// pad, then conv -> conv with more padding, where zeros are added around the spatial axes.
void FoldPadding(LayerGraph* graph);

// conv | inner_product | channel_affine, then channel_affine -> one layer with other weights;
// `shapes_only`: with weights of its shapes.
void FoldChannelAffine(LayerGraph* graph, bool shapes_only = false);

// binary(add) of x and a conv | inner_product -> that layer with x as its residual.
void FuseResidual(LayerGraph* graph);

// conv | inner_product | channel_affine | binary | sum, then activation -> one layer.
void FuseActivation(LayerGraph* graph);

// A convolution many of whose weights are zero gets its density, to the nearest hundredth so that
// measurements are shared, and the blocks in which the zeros come. Where more than half are not
// zero, no kernel gains from it: the key stays as that of a dense layer.
void FindZeros(LayerGraph* graph);

}  // namespace fettle
