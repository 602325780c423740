// A partitioned boolean quadratic problem: pick one option at each node so that the sum of the
// picked entries of all node vectors and edge matrices is smallest,
//   min  sum_i c_i[x_i] + sum_(i,j) C_ij[x_i][x_j].
// Costs are in any one additive unit (Fettle uses milliseconds). They may be negative or
// kForbidden, never NaN or -infinity (asserted). Forbid with kForbidden, not with a huge number:
// that would drown the other costs' digits.
#pragma once

#include <cstddef>
#include <limits>
#include <vector>

namespace fettle {

inline constexpr double kForbidden = std::numeric_limits<double>::infinity();

class PbqpMatrix {
 public:
  PbqpMatrix() = default;
  PbqpMatrix(int rows, int cols, double value = 0);
  // Asserts row_major.size() == rows * cols.
  PbqpMatrix(int rows, int cols, std::vector<double> row_major);

  int rows() const { return rows_; }
  int cols() const { return cols_; }
  double& At(int row, int col) { return Row(row)[col]; }
  double At(int row, int col) const { return Row(row)[col]; }
  double* Row(int row) { return values_.data() + Offset(row); }
  const double* Row(int row) const { return values_.data() + Offset(row); }
  const std::vector<double>& values() const { return values_; }

  PbqpMatrix Transposed() const;
  // Asserts equal shapes.
  void Add(const PbqpMatrix& other);
  void AddTransposed(const PbqpMatrix& other);

  friend bool operator==(const PbqpMatrix&, const PbqpMatrix&) = default;

 private:
  size_t Offset(int row) const { return static_cast<size_t>(row) * static_cast<size_t>(cols_); }

  int rows_ = 0;
  int cols_ = 0;
  std::vector<double> values_;
};

struct PbqpEdge {
  int u = 0;  // the node of the rows
  int v = 0;  // the node of the columns
  PbqpMatrix costs;
};

class PbqpProblem {
 public:
  // Returns the node's index, counted from 0. No options at all makes the problem infeasible.
  int AddNode(std::vector<double> costs);

  // Returns the edge's index, counted from 0. Several edges between the same nodes add up. Asserts
  // two different existing nodes and a matrix of their numbers of options.
  int AddEdge(int u, int v, PbqpMatrix costs);

  // Replace the costs. The number of options of a node may change, if the matrices of all its edges
  // are replaced before the problem is used again.
  void SetNodeCosts(int node, std::vector<double> costs);
  void SetEdgeCosts(int edge, PbqpMatrix costs);

  int num_nodes() const { return static_cast<int>(nodes_.size()); }
  int num_edges() const { return static_cast<int>(edges_.size()); }
  int num_options(int node) const { return static_cast<int>(node_costs(node).size()); }
  const std::vector<double>& node_costs(int node) const;
  const PbqpEdge& edge(int edge) const;

  // Whether each matrix has the numbers of options of its nodes.
  bool IsConsistent() const;

  // The cost of an assignment, one option a node; kForbidden where it is forbidden.
  double Evaluate(const std::vector<int>& choice) const;

 private:
  std::vector<std::vector<double>> nodes_;
  std::vector<PbqpEdge> edges_;
};

}  // namespace fettle
