#pragma once

#include <cstdint>
#include <vector>

#include "fettle/network/variants/block_layout.h"

namespace fettle {

struct BlockOrder {
  std::vector<std::vector<int64_t>> orders;  // of each movable set: place p gets unit orders[p]
  double kept = 0;                           // energy of inputs and outputs in the same block
};

// An order that keeps much energy in the blocks: from several starts (as it is; inputs gathered
// around a few that share no outputs), inputs and outputs are assigned in turns, greedily, as long
// as that gains, then pairs are swapped until no swap gains. Never worse than the order given;
// exact where blocks are merely hidden. Deterministic.
// Large layers get fewer starts and sweeps.
BlockOrder FindBlockOrder(const BlockProblem& problem);

}  // namespace fettle
