// The best few assignments of an irreducible PBQP core.
#pragma once

#include <cstdint>
#include <vector>

#include "fettle/search/pbqp_core.h"
#include "fettle/search/pbqp_problem.h"

namespace fettle {

struct PbqpRanking {
  // Whether these are proven to be the best; always in order, distinct and allowed.
  bool exact = false;
  std::vector<std::vector<int>> choices;
};

// Up to `count` assignments, beginning with `best`, which is SolvePbqpCore's feasible answer.
//
// Where that is exact the next ones are found by Lawler's partition ("A Procedure for Computing the
// K Best Solutions to Discrete Optimization Problems", Management Science 1972): what an answer
// leaves of its set is split by the first node that differs, and each piece is solved. The pieces
// of one answer share `budget`; should it run out, the ranking is no longer exact. Where `best` is
// not exact, the rest are its best single-node changes, and not exact either.
PbqpRanking RankPbqpCore(const PbqpProblem& problem, const PbqpCoreSolution& best, int count,
                         int64_t budget);

}  // namespace fettle
