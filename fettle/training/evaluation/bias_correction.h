#pragma once

#include "fettle/core/target.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/channel_origins.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// Bias correction (Nagel et al., "Data-Free Quantization through Weight Equalization and Bias
// Correction", 2019, appendix D; there for quantisation): the bias of each weighted layer of the
// changed network is shifted by what the mean of each of its output channels differs by from the
// original's, for the same images. Layers are matched by the name of their output, with as many
// channels in both, which are told apart by `origins`; what has no match stays. In the order of
// computation: a layer's inputs are as the corrections before it leave them. Layers that differ in
// nothing stay as they are, bit for bit.
//
// Costs one forward pass of each network, whatever their depth: node by node, the images all at
// once; so many of the dataset's as fit into 512 MiB of activations that are needed together, 512
// at most, and one at least (ResNet-50 at 224: about fifty). Throws Error (kBadInput) where the
// images do not fit.
Graph CorrectBiases(const Graph& original, const Graph& changed, const Dataset& dataset,
                    const PrimitiveList& primitives, const Target& target,
                    const ChannelOrigins& origins = {});

}  // namespace fettle
