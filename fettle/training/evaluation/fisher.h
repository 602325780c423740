#pragma once

#include <vector>

#include "fettle/core/target.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// Half the mean square over the images of the gradient of the loss by a channel's gate
// (gate_gradients.h),
//     D_c = 1 / (2 N) sum_n (sum_ij A_nij g_nij)^2,
// is the loss that closing the gate is expected to add (Theis et al., "Faster gaze prediction with
// dense networks and Fisher pruning", 2018), with activations taken behind the batch norm as in the
// paper that follows.

// Of each unit of each group: channels that are coupled have one gate together, so that their
// gradients are added before they are squared (Liu et al., "Group Fisher pruning", 2021). A group
// whose channels nothing trainable computes has zeros. Throws Error as Trainer does.
std::vector<std::vector<double>> FisherInformation(const Graph& graph,
                                                   const std::vector<ChannelGroup>& groups,
                                                   const Dataset& dataset, const Target& target);

// The sum of D_c over all channels of all weighted layers but the last: what the network could
// learn (BlockSwap, Turner et al. 2020); more is better, among networks of the same cost.
double FisherPotential(const Graph& graph, const Dataset& dataset, const Target& target);

}  // namespace fettle
