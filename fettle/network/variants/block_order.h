#pragma once

#include <cstdint>
#include <vector>

#include "fettle/network/linalg/matrix.h"

namespace fettle {

// Places that can be filled by one another's units, and what stands at each before anything moves:
// its inputs and its outputs of the layer, ascending; of each kind as many at every place.
struct MovableUnits {
  std::vector<std::vector<int64_t>> inputs, outputs;  // [place]

  size_t size() const { return inputs.size(); }
};

// A layer whose inputs and outputs are parted into as many equal blocks, side by side.
struct BlockProblem {
  Matrix energy;  // T x S: what an output loses without an input
  int64_t blocks = 1;
  std::vector<MovableUnits> movable;  // channels in none of them stay where they are
};

struct BlockOrder {
  std::vector<std::vector<int64_t>> orders;  // of each movable set: place p gets unit orders[p]
  double kept = 0;                           // energy of inputs and outputs in the same block
};

// An order that keeps much energy in the blocks: from several starts (as it is; inputs gathered
// around a few that share no outputs), inputs and outputs are assigned in turns, greedily, as long
// as that gains, then pairs are swapped until no swap gains. Never worse than the order given;
// exact where blocks are merely hidden. Deterministic.
BlockOrder FindBlockOrder(const BlockProblem& problem);

}  // namespace fettle
