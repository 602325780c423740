#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fettle/network/channel_atoms.h"
#include "fettle/network/graph.h"

namespace fettle {

// What a group takes off one axis of one tensor (a weight or a computed value): the same number of
// indices for each unit.
struct ChannelSlice {
  TensorAxis place;
  int64_t per_unit = 1;
  std::vector<int64_t> indices;  // unit by unit, ascending within each

  std::span<const int64_t> Of(int64_t unit) const {
    return {indices.data() + unit * per_unit, static_cast<size_t>(per_unit)};
  }
};

// Channels that are pruned alike: `num_units` units, each a set of indices of weights and computed
// tensors that can only be removed together, all touching the same axes. Any units may be removed
// as long as one stays (DepGraph, Fang et al. 2023).
struct ChannelGroup {
  std::string name;  // the node that computes them first; "NAME#2" for its second group, ...
  int64_t num_units = 0;
  // The axes it touches: first those of computed tensors in the order of computation, then those of
  // weights. Units stand in the order of their channels in the first.
  std::vector<ChannelSlice> slices;
  std::vector<int> producers;  // the nodes whose weights compute the channels, ascending

  // Channels that `name` computes for the group, and for each unit of it.
  int64_t width() const { return num_units * slices[0].per_unit; }
  int64_t channels_per_unit() const { return slices[0].per_unit; }
};

// Channels that cannot be pruned, though weights compute them.
struct FrozenChannels {
  std::string name;  // of the node that computes them
  int64_t num_channels = 0;
  std::string reason;  // "'softmax' (softmax): the softmax is taken over them"
};

struct ChannelGroups {
  std::vector<ChannelGroup> groups;    // of two units or more, in the order of computation
  std::vector<FrozenChannels> frozen;  // likewise; one for each node and reason
};

// From the graph alone, never by names. Near linear in the extents of all tensors' axes.
ChannelGroups FindChannelGroups(const Graph& graph);

// The weights of a convolution or matrix product, and their axis along which its channels lie: each
// index of it makes one channel of the output.
struct ChannelProducer {
  int node = 0;
  TensorAxis weights;  // a constant
};
std::vector<ChannelProducer> FindChannelProducers(const Graph& graph);

}  // namespace fettle
