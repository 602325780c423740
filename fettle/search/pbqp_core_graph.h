// A PBQP that is worked on destructively: options are fixed, nodes reduced away, costs shifted
// between nodes and edges. It is what the search for an irreducible core runs on; the incremental
// solver keeps to pbqp_elimination.h.
//
// Unlike the plan of the incremental solver, the reductions here follow the values: an edge whose
// matrix has become separable is dropped on the spot, which opens the way for more reductions.
#pragma once

#include <cstdint>
#include <vector>

#include "fettle/search/pbqp_problem.h"

namespace fettle {

class PbqpCoreGraph {
 public:
  // A deviation of up to `tolerance` (in units of cost) is taken for rounding.
  PbqpCoreGraph(const PbqpProblem& problem, double tolerance);

  int num_nodes() const { return static_cast<int>(costs_.size()); }
  bool IsAlive(int node) const { return is_alive_[node]; }
  bool IsEmpty() const { return num_alive_ == 0; }
  int degree(int node) const { return static_cast<int>(incident_[node].size()); }
  const std::vector<double>& costs(int node) const { return costs_[node]; }
  // What the removed nodes cost; kForbidden where they cannot be assigned.
  double constant() const { return constant_; }
  // The entries of the matrices left: what a pass over them costs.
  int64_t num_entries() const;

  void Fix(int node, int option);
  void Forbid(int node, int option) { costs_[node][option] = kForbidden; }

  // Applies R0, RI and RII until every node has three neighbours or more. Returns the entries
  // visited.
  int64_t Reduce();

  // Moves costs between nodes and edges, changing no assignment's total, so that LowerBound()
  // rises: passes to and fro of sequential tree-reweighted message passing (Kolmogorov, "Convergent
  // Tree-reweighted Message Passing", PAMI 2006), which ascends on the dual of the problem's linear
  // relaxation. Options shown to be impossible become kForbidden. Visits about 8 sweeps
  // num_entries() entries.
  void Tighten(int sweeps);

  // A bound on the cost of the nodes left, without constant(): the sum of all vectors' and
  // matrices' minima.
  double LowerBound() const;

  // For each option of the node the same bound, given that the option is taken; `lower_bound` is
  // LowerBound().
  std::vector<double> OptionBounds(int node, double lower_bound) const;

  // The alive nodes, split into connected sets.
  std::vector<std::vector<int>> Components() const;

  // A graph of some of the nodes (all edges between them), without the forbidden options; and how
  // its nodes and options are called here.
  struct Part;
  Part Extract(const std::vector<int>& nodes) const;

  // Decides the nodes removed, given choice[] of those alive. Asserts constant() < kForbidden.
  void Complete(std::vector<int>* choice) const;

 private:
  struct Edge {
    int u, v;  // rows, columns
    PbqpMatrix costs;
  };
  // A removed node, and what is needed to decide it later.
  struct Removal {
    int node;
    int option;  // where fixed, else -1
    std::vector<double> costs;
    std::vector<int> neighbours;
    std::vector<PbqpMatrix> matrices;  // rows: the node's options
  };

  PbqpCoreGraph(std::vector<std::vector<double>> costs, double tolerance);
  void AddEdge(int u, int v, PbqpMatrix costs);
  void MaybeDropEdge(int edge);
  PbqpMatrix TakeEdge(int edge, int node);  // removes it; rows: the node
  void Detach(int edge, int node);
  void Remove(int node);
  int Other(int edge, int node) const { return edges_[edge].u ^ edges_[edge].v ^ node; }
  std::vector<double> MinimaFor(int edge, int node) const;
  void Shift(int edge, int node, const std::vector<double>& shifts);
  void Pull(int node);
  void Push(int node, bool to_later);

  std::vector<std::vector<double>> costs_;
  std::vector<char> is_alive_;
  std::vector<std::vector<int>> incident_;
  std::vector<Edge> edges_;  // also those gone, with an empty matrix
  std::vector<int> reducible_;
  std::vector<Removal> removals_;
  int num_alive_;
  double constant_ = 0;
  double tolerance_;
};

struct PbqpCoreGraph::Part {
  PbqpCoreGraph graph;
  std::vector<int> nodes;
  std::vector<std::vector<int>> options;
};

}  // namespace fettle
