#pragma once

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "fettle/network/channel_groups.h"
#include "fettle/network/graph.h"
#include "fettle/search/design_space.h"
#include "fettle/tuner/tuning_decision.h"

namespace fettle {

// What becomes of the other decisions about a network when residual blocks of it are dropped.
class DroppedBlocks {
 public:
  // The groups are FindChannelGroups(original)'s. Throws Error (kBadInput) for a decision to drop
  // what cannot be dropped.
  DroppedBlocks(const Graph& original, const std::vector<ChannelGroup>& groups,
                const std::vector<TuningDecision>& decisions);

  bool HasAny(const Candidate& candidate) const;

  // For each decision, whether what it is about is gone with the blocks that the candidate drops:
  // a layer or a block within one that is dropped, a group all of whose channels are.
  std::vector<bool> Idle(const Candidate& candidate) const;

  // The original without the candidate's blocks, all else as it was.
  Graph Without(const Graph& original, const Candidate& candidate) const;

 private:
  struct Drop {
    std::string addition;
    int option = 0;            // of the decision, that means drop()
    std::vector<size_t> gone;  // nodes, the addition apart
  };

  std::map<size_t, Drop> drops_;            // by decision
  std::vector<std::vector<size_t>> nodes_;  // by decision: all that it is about
  size_t num_nodes_ = 0;
};

// The group of `rest`, which is `graph` without some blocks, whose channels are those of the group:
// its name may be another there, for it is that of the layer that computes them first. Null where
// they are gone, or are not the channels of one group any more.
const ChannelGroup* FindSurvivor(const ChannelGroup& group, const Graph& graph, const Graph& rest,
                                 const std::vector<ChannelGroup>& groups_of_rest);

}  // namespace fettle
