// Solving what the reductions of a PBQP leave: an irreducible core, each node with three or more
// neighbours. The problem is NP-hard there, so the effort is bounded and the answer says whether it
// is proven.
//
//   1. A lower bound, by shifting costs between nodes and edges (PbqpCoreGraph::Tighten).
//   2. A first assignment: RN, which fixes the node with the most neighbours to the option with the
//      best bound, reduces, and repeats; where that does not meet the bound, single nodes and
//      linked pairs are improved until nothing gets better. On networks it often meets the bound,
//      and that is the proof.
//   3. Otherwise branch and bound, anytime: options whose bound reaches the best assignment known
//      are struck out for good; what is left is split into connected parts, reduced, and branched
//      on at the node with the most neighbours. Fixing a few hubs usually leaves a reducible rest.
//
// Effort is counted in matrix entries visited (about a nanosecond each), never by a clock, so that
// results are reproducible. "Proven" is up to rounding: 1e-12 of the sum of the largest costs.
#pragma once

#include <cstdint>
#include <vector>

#include "fettle/search/pbqp_problem.h"

namespace fettle {

struct PbqpCoreSolution {
  bool feasible = false;  // an allowed assignment was found
  bool exact = false;     // it is proven best; where not feasible, there is proven to be none
  double cost = kForbidden;
  double lower_bound = -kForbidden;  // no assignment costs less
  std::vector<int> choice;           // empty unless feasible
  int heuristic_nodes = 0;           // fixed by RN on the way to the first assignment
  int64_t branches = 0;              // options tried by branch and bound
  int64_t spent = 0;                 // of the budget
};

// Solves any problem; meant for cores. A budget of 0 skips branch and bound.
PbqpCoreSolution SolvePbqpCore(const PbqpProblem& problem, int64_t budget);

}  // namespace fettle
