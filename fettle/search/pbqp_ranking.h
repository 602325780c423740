// The best few assignments of a PBQP, from the results that its elimination has kept anyway.
//
// A step's result is a table: for each pair of options of its neighbours (its context), the cost of
// the best way to decide the step's node and everything below it. The ways themselves form a
// hypergraph: a way is an option of the node and one way of each step whose result landed there, in
// the context that this option makes. That is the shape of a parse forest, and the k-th best way
// can be had lazily (Huang & Chiang, "Better k-best Parsing", IWPT 2005, algorithm 3): in each
// context asked about, keep the ways found in order and a heap of candidates; after taking a way,
// offer its successors, in which one of its parts gives way to the next best of that part. Only the
// contexts on the way down from the root are ever opened, so the second and third assignment cost
// far less than the first.
//
// A core component takes part as one step without context, whose options are ranked assignments of
// its nodes. The roots hang together in a chain of pairs, so that no step has very many parts.
#pragma once

#include <vector>

#include "fettle/search/pbqp_core_ranking.h"
#include "fettle/search/pbqp_elimination.h"

namespace fettle {

// Up to `count` distinct allowed assignments of the elimination's problem, cheapest first.
// cores[c] ranks core component c; it must hold `count` assignments or all there are, at least one.
// The answer is exact if the cores' are. The elimination must be up to date.
std::vector<std::vector<int>> RankAssignments(const PbqpElimination& elimination,
                                              const std::vector<PbqpRanking>& cores, int count);

}  // namespace fettle
