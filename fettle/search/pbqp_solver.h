// Solves a PBQP (see pbqp_problem.h), and solves it again after changes without starting over.
//
// How it works, and where to read on:
//   pbqp_reduction.h    the arithmetic of R0, RI and RII, which are exact
//   pbqp_plan.h         their order, and the forest that their results form
//   pbqp_elimination.h  every result is kept; a change recomputes the way from its node to the root
//   pbqp_core.h         what is left, if anything: bounds, RN with local improvement, branch and
//   bound pbqp_ranking.h      the second and third best assignment, from the results kept
//
// Networks of layers, with a node of its own for each tensor that has several readers, are mostly
// series-parallel (chains, residual blocks, inception modules): those reduce completely and the
// answer is exact. Densely connected ones leave a core.
//
// Cost: for n options a node, RI takes n^2 and RII n^3 steps; a change in a body of a block takes a
// few RII and then one RI or RII a level of the forest.
//
// The answer depends on the problem alone, to the last bit, and not on the edits that led to it.
#pragma once

#include <cstdint>
#include <vector>

#include "fettle/search/pbqp_core.h"
#include "fettle/search/pbqp_elimination.h"
#include "fettle/search/pbqp_problem.h"

namespace fettle {

struct PbqpOptions {
  // The effort allowed on irreducible cores, in matrix entries visited (about a nanosecond each),
  // shared equally by the components. A bound must be computed in any case; 0 stops after RN.
  int64_t core_budget = 20'000'000;
};

struct PbqpCounts {
  int r0 = 0, r1 = 0, r2 = 0;  // nodes reduced
  int core_nodes = 0;          // nodes that were not
  int rn = 0;                  // core nodes fixed by RN; nothing is lost by them where exact
  int separable_edges = 0;     // edges that linked nothing
  int64_t branches = 0;        // options tried by branch and bound
  int recomputed = 0;          // reductions that this Solve() had to do
};

struct PbqpSolution {
  bool feasible = false;  // an allowed assignment was found
  // The assignment is proven best (up to rounding); where not feasible, proven not to exist.
  bool exact = false;
  double cost = kForbidden;
  double lower_bound = -kForbidden;  // no assignment costs less; the cost, where exact
  std::vector<int> choice;           // the option of each node; empty unless feasible
  PbqpCounts counts;
};

class PbqpSolver {
 public:
  explicit PbqpSolver(PbqpProblem problem, PbqpOptions options = {});

  const PbqpProblem& problem() const { return elimination_.problem(); }

  // As in PbqpProblem; the work is done by the next Solve().
  void SetNodeCosts(int node, std::vector<double> costs);
  void SetEdgeCosts(int edge, PbqpMatrix costs);

  // Asserts that the problem is consistent.
  PbqpSolution Solve();

  // The `count` cheapest distinct assignments (fewer if there are no more), the first being
  // Solve()'s. Meant for a handful: with a core, each further one solves as many core problems as
  // it has nodes. Each says whether it is exact: proven to be the best after those before it. Where
  // the core was not solved exactly, the others come from its single-node changes. Empty where
  // nothing feasible was found. Asserts count >= 1.
  std::vector<PbqpSolution> SolveTop(int count);

 private:
  struct CachedCore {
    uint64_t version = 0;
    PbqpCoreSolution solution;
  };

  void RefreshCores();
  int64_t CoreBudget() const;

  PbqpElimination elimination_;
  PbqpOptions options_;
  std::vector<CachedCore> cores_;
};

// Solves once.
PbqpSolution SolvePbqp(PbqpProblem problem, PbqpOptions options = {});

}  // namespace fettle
