// In which order the nodes of a PBQP are reduced, and where each reduction's result goes. It
// depends on which nodes are linked and on nothing else, so it stays valid while costs change: what
// the incremental solver rests on.
//
// A link between two nodes, given or made by RII, is a slot: a matrix that is the sum of the edges
// and of the RII results that fell on it. Each step removes a node and sends one result on: nothing
// (R0), a vector to a node (RI), a matrix to a slot (RII). Each result is used by exactly one later
// step or by the core, hence the steps form a forest whose roots are R0 steps and core components.
//
// A change at a node runs up its tree, so trees should be low. RI goes before RII (it is cheaper by
// a factor of the number of options), and within each the node whose inputs are the least deep goes
// first: chains are peeled from both ends towards the middle, and the bodies of blocks are reduced
// side by side.
#pragma once

#include <utility>
#include <vector>

namespace fettle {

struct PbqpPlan {
  struct Slot {
    int first = -1;   // the rows: the node that is removed first (in the core, the smaller index)
    int second = -1;  // the columns
    std::vector<int> edges;     // indices into the links that the plan was made from
    std::vector<int> messages;  // RII steps whose result lands here
  };
  struct Step {
    int node = -1;
    int degree = 0;           // 0, 1, 2: R0, RI, RII
    int slots[2] = {-1, -1};  // the links removed; the node is `first` in each
    int neighbours[2] = {-1, -1};
    int target_slot = -1;  // RII only; neighbours[0] is `first` there
  };
  struct Component {
    std::vector<int> nodes;  // ascending
    std::vector<int> slots;
  };

  std::vector<Step> steps;
  std::vector<Slot> slots;
  std::vector<std::vector<int>> node_messages;  // for each node the RI steps that land on it
  std::vector<Component> core;                  // what no reduction removes
  std::vector<int> step_of_node;                // -1 in the core
  std::vector<int> component_of_node;           // -1 outside the core
  std::vector<int> step_of_slot;                // the step that uses it; -1 in the core
  std::vector<int> slot_of_link;                // for each link given

  // Every step's depth is at most this; an indication of the work after a change.
  int depth = 0;
};

// `links` are pairs of different nodes; repeated pairs share a slot. A link with first < 0 is left
// out (its slot_of_link is -1).
PbqpPlan PlanReductions(int num_nodes, const std::vector<std::pair<int, int>>& links);

}  // namespace fettle
