#include "fettle/search/pbqp_solver.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "fettle/search/pbqp_core_ranking.h"
#include "fettle/search/pbqp_ranking.h"

namespace fettle {

PbqpSolver::PbqpSolver(PbqpProblem problem, PbqpOptions options)
    : elimination_(std::move(problem)), options_(options) {}

void PbqpSolver::SetNodeCosts(int node, std::vector<double> costs) {
  elimination_.SetNodeCosts(node, std::move(costs));
}

void PbqpSolver::SetEdgeCosts(int edge, PbqpMatrix costs) {
  elimination_.SetEdgeCosts(edge, std::move(costs));
}

int64_t PbqpSolver::CoreBudget() const {
  return options_.core_budget / std::max<int64_t>(1, static_cast<int64_t>(cores_.size()));
}

void PbqpSolver::RefreshCores() {
  cores_.resize(elimination_.plan().core.size());
  for (int c = 0; c < static_cast<int>(cores_.size()); ++c) {
    if (cores_[c].version == elimination_.CoreVersion(c)) continue;
    cores_[c].version = elimination_.CoreVersion(c);
    cores_[c].solution = SolvePbqpCore(elimination_.CoreProblem(c), CoreBudget());
  }
}

PbqpSolution PbqpSolver::Solve() {
  elimination_.Update();
  RefreshCores();
  const PbqpPlan& plan = elimination_.plan();
  PbqpSolution solution;
  for (const PbqpPlan::Step& step : plan.steps) {
    int& count = step.degree == 0   ? solution.counts.r0
                 : step.degree == 1 ? solution.counts.r1
                                    : solution.counts.r2;
    ++count;
  }
  solution.counts.separable_edges = elimination_.num_separable_edges();
  solution.counts.recomputed = elimination_.num_recomputed();
  solution.lower_bound = elimination_.ReducedCost();
  solution.feasible = solution.exact = true;
  for (const PbqpPlan::Component& core : plan.core) {
    solution.counts.core_nodes += static_cast<int>(core.nodes.size());
  }
  for (const CachedCore& core : cores_) {
    solution.counts.rn += core.solution.heuristic_nodes;
    solution.counts.branches += core.solution.branches;
    solution.lower_bound += core.solution.lower_bound;
    solution.feasible = solution.feasible && core.solution.feasible;
    solution.exact = solution.exact && core.solution.exact;
  }
  if (solution.lower_bound == kForbidden) {
    // One part that cannot be assigned settles it, whatever is known of the others.
    solution.feasible = false;
    solution.exact = true;
  }
  if (!solution.feasible) return solution;
  solution.choice.assign(problem().num_nodes(), -1);
  for (size_t c = 0; c < cores_.size(); ++c) {
    const std::vector<int>& nodes = plan.core[c].nodes;
    for (size_t i = 0; i < nodes.size(); ++i) {
      solution.choice[nodes[i]] = cores_[c].solution.choice[i];
    }
  }
  [[maybe_unused]] const bool is_complete = elimination_.Complete(&solution.choice);
  assert(is_complete);
  solution.cost = problem().Evaluate(solution.choice);
  if (solution.exact) solution.lower_bound = solution.cost;
  return solution;
}

std::vector<PbqpSolution> PbqpSolver::SolveTop(int count) {
  assert(count >= 1);
  const PbqpSolution best = Solve();
  std::vector<PbqpSolution> top;
  if (!best.feasible) return top;
  top.push_back(best);
  if (count == 1) return top;
  bool exact = best.exact;
  std::vector<PbqpRanking> rankings;
  for (int c = 0; c < static_cast<int>(cores_.size()); ++c) {
    rankings.push_back(
        RankPbqpCore(elimination_.CoreProblem(c), cores_[c].solution, count, CoreBudget()));
    exact = exact && rankings.back().exact;
  }
  for (std::vector<int>& choice : RankAssignments(elimination_, rankings, count)) {
    if (choice == best.choice || static_cast<int>(top.size()) == count) continue;
    PbqpSolution next = best;
    next.choice = std::move(choice);
    next.cost = problem().Evaluate(next.choice);
    next.exact = exact;
    next.lower_bound = exact ? next.cost : best.lower_bound;
    top.push_back(std::move(next));
  }
  return top;
}

PbqpSolution SolvePbqp(PbqpProblem problem, PbqpOptions options) {
  return PbqpSolver(std::move(problem), options).Solve();
}

}  // namespace fettle
