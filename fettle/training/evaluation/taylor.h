#pragma once

#include <vector>

#include "fettle/core/target.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// What the loss is expected to change by, to first order, when a channel becomes 0 (Molchanov et
// al., "Pruning convolutional neural networks for resource efficient inference", 2017), the mean
// over the images n of
//     |sum_ij A_nij g_nij|
// with the channel's activation A and the loss's gradient g by it (gate_gradients.h). Of each unit
// of each group; what its channels have is added before the magnitude is taken. The paper divides
// by the positions ij, which orders a group's units as this does. Throws Error as Trainer does, and
// where there are no labels.
std::vector<std::vector<double>> TaylorSaliency(const Graph& graph,
                                                const std::vector<ChannelGroup>& groups,
                                                const Dataset& dataset, const Target& target);

}  // namespace fettle
