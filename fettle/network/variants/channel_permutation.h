#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"

// Channels in another order, in all that makes and reads them: a network that computes the same.

namespace fettle {

// The units of one group in another order: place u gets what unit order[u] was.
struct UnitOrder {
  size_t group = 0;  // into the groups given
  std::vector<int64_t> order;
};

// For each of FindChannelGroups(graph)'s groups whether its units may change places. They may where
// every unit is tied together in the same way, index by index; in the rest (a shortcut that crosses
// channels over) one unit is a mirror image of another, say, and only removing them is safe.
std::vector<bool> FindPermutableGroups(const Graph& graph, std::span<const ChannelGroup> groups);

// What stands where on each axis of each tensor of a graph.
class ChannelPermutation {
 public:
  // The groups are FindChannelGroups(graph)'s; those not named stay. Throws an Error (kBadInput)
  // for a group that is not there, named twice or whose units may not change places, and for an
  // order that is no permutation of its units.
  ChannelPermutation(const Graph& graph, std::span<const ChannelGroup> groups,
                     std::span<const UnitOrder> orders);

  // For each place the index that goes there; null where all stay.
  const std::vector<int64_t>* Of(TensorAxis place) const;

 private:
  std::map<TensorAxis, std::vector<int64_t>> sources_;
};

// The graph with its constants in that order; nothing else changes, the ids of values included.
Graph PermuteChannels(const Graph& graph, const ChannelPermutation& permutation);

// Makes a calibration of `graph` one of PermuteChannels(graph, permutation).
void PermuteCalibration(const Graph& graph, const ChannelPermutation& permutation,
                        Calibration* calibration);

}  // namespace fettle
