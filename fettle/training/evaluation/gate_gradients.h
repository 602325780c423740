#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/training/data/dataset.h"

// Imagine a gate, a factor of 1, on each channel. The gradient of an image's loss (cross-entropy
// with its label) by it is sum_ij A_ij g_ij, A being the channel's activation and g the loss's
// gradient by it. Fisher information and Taylor saliency are made of these. Activations are taken
// behind the batch norm, which has its training form.

namespace fettle {

// Of a node's channels, image by image: [N,C].
using GateGradients = std::map<std::string, std::vector<double>>;

// How many images go through the network together, and how many times.
struct GateBatches {
  int64_t images = 0, count = 0;
};
// Throws Error (kBadInput) where there are none.
GateBatches GateBatchesOf(const Dataset& dataset);

// Runs whole batches of the dataset forward and backward; `visitor` gets the gate gradients of
// these nodes, batch by batch, in any order and from several threads. Throws Error as Trainer does,
// and where there are no labels.
void ForEachBatchOfGates(
    const Graph& graph, const std::set<std::string>& nodes, const Dataset& dataset,
    const Target& target,
    const std::function<void(size_t batch, const GateGradients& gates)>& visitor);

// The node behind which a producer's channels are looked at: the batch norm that alone reads them.
const Node& GatedNode(const Graph& graph, const std::vector<std::vector<int>>& readers,
                      int producer);

// For each unit of each group the mean over the images of `f` of its gate's gradient: channels that
// are coupled have one gate together, so that their gradients are added first. Zeros where nothing
// trainable computes the channels. The same for any number of threads.
std::vector<std::vector<double>> MeanOverGates(const Graph& graph,
                                               const std::vector<ChannelGroup>& groups,
                                               const Dataset& dataset, const Target& target,
                                               const std::function<double(double)>& f);

}  // namespace fettle
