#pragma once

#include "fettle/network/channel_atoms.h"
#include "fettle/network/graph.h"

namespace fettle {

// Ties the indices that must be removed together and freezes those that cannot be removed, operator
// by operator (DepGraph, Fang et al. 2023, at the level of single indices): a removal takes whole
// slices off tensors, so that every operator stays what it is, with smaller extents. What each
// operator demands is listed in docs/variants.md.
void CoupleChannels(const Graph& graph, ChannelAtoms* atoms);

}  // namespace fettle
