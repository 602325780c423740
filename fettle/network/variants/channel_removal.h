#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"

namespace fettle {

// The units of one group that stay.
struct KeptUnits {
  size_t group = 0;            // into the groups given
  std::vector<int64_t> units;  // in any order, none twice, at least one
};

// What stays on each axis of each tensor of a graph when units are removed.
class KeptIndices {
 public:
  // The groups are FindChannelGroups(graph)'s; those not named stay whole. The graph must outlive
  // this. Throws an Error (kBadInput) for a group named twice or not there, and for units that are
  // not there, repeated or none at all.
  KeptIndices(const Graph& graph, std::span<const ChannelGroup> groups,
              std::span<const KeptUnits> kept);

  // Ascending; null where everything stays.
  const std::vector<int64_t>* Of(TensorAxis place) const;
  bool Has(TensorAxis place, int64_t index) const;

  Shape ShapeOf(ValueId value) const;
  // How many of the indices below `index` stay.
  int64_t CountBelow(TensorAxis place, int64_t index) const;

 private:
  const Graph& graph_;
  struct OnAxis {
    int axis = 0;
    std::vector<int64_t> indices;
  };
  std::vector<std::vector<OnAxis>> kept_;  // by value: of few axes, mostly none
};

// What to add to a node's bias, for each channel of its output (all of them, before removal).
using BiasCorrections = std::map<int, std::vector<double>>;  // by node

// The graph with only what stays: weights sliced, attributes adapted, every type inferred anew;
// names, metadata and the order of nodes, inputs and outputs as they were. Only convolutions and
// products of matrices by constants may be corrected: a MatMul becomes a Gemm. `shapes_only`: what
// would be sliced is zeros.
Graph RemoveIndices(const Graph& graph, const KeptIndices& kept,
                    const BiasCorrections& corrections = {}, bool shapes_only = false);

}  // namespace fettle
