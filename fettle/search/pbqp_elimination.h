// The exact part of solving a PBQP, kept so that a change redoes only what it touches.
//
// The reductions R0, RI and RII are a computation over a forest (see pbqp_plan.h): each step turns
// the costs around one node, with the results of earlier steps added, into one result for one later
// step. Every result is kept. When a node's costs change, its step is marked; Update() walks the
// steps in order, recomputes those marked, and marks the user of a result only if the result came
// out different. So the work is that of the path from the changed node to its root, and ends early
// where the change no longer matters.
//
// Sums are always formed afresh in the same order, never by subtracting the old and adding the new:
// the outcome depends on the problem alone, to the last bit, not on the edits that led to it.
//
// An edge whose matrix separates into row[i] + col[j] is no link: its vectors join the nodes. That
// is part of the plan, so an edit that makes an edge separable, or no longer, makes a new plan.
#pragma once

#include <cstdint>
#include <vector>

#include "fettle/search/pbqp_plan.h"
#include "fettle/search/pbqp_problem.h"
#include "fettle/search/pbqp_reduction.h"

namespace fettle {

class PbqpElimination {
 public:
  explicit PbqpElimination(PbqpProblem problem);

  const PbqpProblem& problem() const { return problem_; }

  // As in PbqpProblem; cheap, the work is done by the next Update().
  void SetNodeCosts(int node, std::vector<double> costs);
  void SetEdgeCosts(int edge, PbqpMatrix costs);

  // Brings everything below up to date. Asserts that the problem is consistent.
  void Update();

  // What follows is valid after Update().
  const PbqpPlan& plan() const { return plan_; }
  // Steps recomputed by the last Update().
  int num_recomputed() const { return num_recomputed_; }
  int num_separable_edges() const;

  // The sum of the minima of the R0 steps: the cost of everything outside the core.
  double ReducedCost() const;

  // A core component as a problem of its own: node i is plan().core[component].nodes[i].
  PbqpProblem CoreProblem(int component) const;
  // Changes whenever the component's costs may have.
  uint64_t CoreVersion(int component) const { return core_version_[component]; }

  // Decides all nodes outside the core, given choice[] of the core's; best first option on ties.
  // False where no assignment is allowed.
  bool Complete(std::vector<int>* choice) const;

  // The costs of a node, and those of a slot in its orientation, with all results added.
  const std::vector<double>& NodeSum(int node) const { return node_sum_[node]; }
  const PbqpMatrix& SlotSum(int slot) const;

 private:
  struct Result {
    std::vector<double> vector;  // RI; of one entry, the minimum, for R0
    PbqpMatrix matrix;           // RII
  };

  void MakePlan();
  void RefreshNode(int node);
  void RefreshSlot(int slot);
  bool Recompute(int step);  // true when the result changed
  void MarkUser(int step);
  void RefreshCore();

  PbqpProblem problem_;
  std::vector<Separation> separations_;  // of each edge
  PbqpPlan plan_;
  bool plan_is_stale_ = true;
  std::vector<char> node_is_stale_, slot_is_stale_;
  std::vector<std::vector<double>> node_sum_;
  std::vector<PbqpMatrix> slot_sum_;  // empty where the slot has only one part: see SlotSum
  std::vector<Result> results_;       // of each step
  std::vector<std::vector<int>> node_separable_edges_;
  std::vector<uint64_t> core_version_;
  uint64_t version_ = 0;
  int num_recomputed_ = 0;
};

}  // namespace fettle
