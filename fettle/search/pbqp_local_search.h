// Improving an assignment of a PBQP by small changes: no proof, but the finish that RN needs.
#pragma once

#include <optional>
#include <vector>

#include "fettle/search/pbqp_problem.h"

namespace fettle {

// Re-decides one node, or two linked nodes together, given all others, as long as that lowers the
// cost, for at most 50 rounds. Starting from a forbidden assignment, the number of
// forbidden terms is lowered first. Deterministic.
void ImproveLocally(const PbqpProblem& problem, std::vector<int>* choice);

// Each node's own cheapest option; nothing where a node has none that is allowed.
std::optional<std::vector<int>> CheapestOptions(const PbqpProblem& problem);

// The best `count` (or fewer) allowed assignments that differ from a given allowed one in a single
// node, cheapest first; ties in order of node and option.
struct PbqpChange {
  int node = 0;
  int option = 0;
  double cost = 0;  // of the whole assignment
};
std::vector<PbqpChange> BestSingleChanges(const PbqpProblem& problem,
                                          const std::vector<int>& choice, int count);

}  // namespace fettle
