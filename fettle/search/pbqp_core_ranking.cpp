#include "fettle/search/pbqp_core_ranking.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

#include "fettle/search/pbqp_local_search.h"

namespace fettle {
namespace {

// The assignments that begin with a prefix and take none of some options at the node after it.
struct Piece {
  std::vector<int> prefix;
  std::vector<int> excluded;
  // The best of them.
  std::vector<int> choice;
  double cost = kForbidden;
};

// What is left to decide in a piece: node i is node prefix.size() + i.
PbqpProblem Remainder(const PbqpProblem& problem, const Piece& piece) {
  const int decided = static_cast<int>(piece.prefix.size());
  std::vector<std::vector<double>> costs;
  for (int node = decided; node < problem.num_nodes(); ++node) {
    costs.push_back(problem.node_costs(node));
  }
  for (int option : piece.excluded) costs[0][option] = kForbidden;
  std::vector<int> kept;
  for (int e = 0; e < problem.num_edges(); ++e) {
    const PbqpEdge& edge = problem.edge(e);
    const bool is_u_decided = edge.u < decided, is_v_decided = edge.v < decided;
    if (!is_u_decided && !is_v_decided) {
      kept.push_back(e);
    } else if (!is_u_decided) {
      for (int a = 0; a < edge.costs.rows(); ++a) {
        costs[edge.u - decided][a] += edge.costs.At(a, piece.prefix[edge.v]);
      }
    } else if (!is_v_decided) {
      for (int b = 0; b < edge.costs.cols(); ++b) {
        costs[edge.v - decided][b] += edge.costs.At(piece.prefix[edge.u], b);
      }
    }
  }
  PbqpProblem rest;
  for (std::vector<double>& c : costs) rest.AddNode(std::move(c));
  for (int e : kept) {
    const PbqpEdge& edge = problem.edge(e);
    rest.AddEdge(edge.u - decided, edge.v - decided, edge.costs);
  }
  return rest;
}

// Solves the pieces that are left of `piece` without its best assignment, and adds those that hold
// any to `open`. False where one was not solved exactly.
bool Split(const PbqpProblem& problem, const Piece& piece, int64_t budget,
           std::vector<Piece>* open) {
  bool exact = true;
  for (size_t node = piece.prefix.size(); node < piece.choice.size(); ++node) {
    Piece next;
    next.prefix.assign(piece.choice.begin(),
                       piece.choice.begin() + static_cast<std::ptrdiff_t>(node));
    if (node == piece.prefix.size()) next.excluded = piece.excluded;
    next.excluded.push_back(piece.choice[node]);
    const int64_t share = budget / static_cast<int64_t>(piece.choice.size() - node);
    const PbqpCoreSolution best = SolvePbqpCore(Remainder(problem, next), share);
    budget = std::max<int64_t>(0, budget - best.spent);
    exact = exact && best.exact;
    if (!best.feasible) continue;
    next.choice = next.prefix;
    next.choice.insert(next.choice.end(), best.choice.begin(), best.choice.end());
    next.cost = problem.Evaluate(next.choice);
    open->push_back(std::move(next));
  }
  return exact;
}

}  // namespace

PbqpRanking RankPbqpCore(const PbqpProblem& problem, const PbqpCoreSolution& best, int count,
                         int64_t budget) {
  assert(best.feasible && count >= 1);
  PbqpRanking ranking;
  ranking.choices.push_back(best.choice);
  ranking.exact = best.exact;
  if (!best.exact) {
    for (const PbqpChange& change : BestSingleChanges(problem, best.choice, count - 1)) {
      ranking.choices.push_back(best.choice);
      ranking.choices.back()[change.node] = change.option;
    }
    return ranking;
  }
  std::vector<Piece> open;
  Piece taken{{}, {}, best.choice, best.cost};
  while (static_cast<int>(ranking.choices.size()) < count) {
    ranking.exact = Split(problem, taken, budget, &open) && ranking.exact;
    const auto next = std::min_element(
        open.begin(), open.end(), [](const Piece& a, const Piece& b) { return a.cost < b.cost; });
    if (next == open.end()) break;
    taken = std::move(*next);
    open.erase(next);
    ranking.choices.push_back(taken.choice);
  }
  return ranking;
}

}  // namespace fettle
