#include "fettle/search/pbqp_problem.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

namespace fettle {
namespace {

[[maybe_unused]] bool AreCosts(const std::vector<double>& values) {
  // The comparison is false for NaN too.
  return std::all_of(values.begin(), values.end(), [](double x) { return x > -kForbidden; });
}

}  // namespace

PbqpMatrix::PbqpMatrix(int rows, int cols, double value)
    : rows_(rows),
      cols_(cols),
      values_(static_cast<size_t>(rows) * static_cast<size_t>(cols), value) {
  assert(rows >= 0 && cols >= 0);
}

PbqpMatrix::PbqpMatrix(int rows, int cols, std::vector<double> row_major)
    : rows_(rows), cols_(cols), values_(std::move(row_major)) {
  assert(rows >= 0 && cols >= 0 &&
         values_.size() == static_cast<size_t>(rows) * static_cast<size_t>(cols));
}

PbqpMatrix PbqpMatrix::Transposed() const {
  PbqpMatrix result(cols_, rows_);
  for (int r = 0; r < rows_; ++r) {
    for (int c = 0; c < cols_; ++c) result.At(c, r) = At(r, c);
  }
  return result;
}

void PbqpMatrix::Add(const PbqpMatrix& other) {
  assert(rows_ == other.rows_ && cols_ == other.cols_);
  for (size_t i = 0; i < values_.size(); ++i) values_[i] += other.values_[i];
}

void PbqpMatrix::AddTransposed(const PbqpMatrix& other) {
  assert(rows_ == other.cols_ && cols_ == other.rows_);
  for (int r = 0; r < rows_; ++r) {
    for (int c = 0; c < cols_; ++c) At(r, c) += other.At(c, r);
  }
}

int PbqpProblem::AddNode(std::vector<double> costs) {
  assert(AreCosts(costs));
  nodes_.push_back(std::move(costs));
  return num_nodes() - 1;
}

int PbqpProblem::AddEdge(int u, int v, PbqpMatrix costs) {
  assert(u != v && AreCosts(costs.values()));
  assert(costs.rows() == num_options(u) && costs.cols() == num_options(v));
  edges_.push_back({u, v, std::move(costs)});
  return num_edges() - 1;
}

void PbqpProblem::SetNodeCosts(int node, std::vector<double> costs) {
  assert(node >= 0 && node < num_nodes() && AreCosts(costs));
  nodes_[node] = std::move(costs);
}

void PbqpProblem::SetEdgeCosts(int edge, PbqpMatrix costs) {
  assert(edge >= 0 && edge < num_edges() && AreCosts(costs.values()));
  edges_[edge].costs = std::move(costs);
}

const std::vector<double>& PbqpProblem::node_costs(int node) const {
  assert(node >= 0 && node < num_nodes());
  return nodes_[node];
}

const PbqpEdge& PbqpProblem::edge(int edge) const {
  assert(edge >= 0 && edge < num_edges());
  return edges_[edge];
}

bool PbqpProblem::IsConsistent() const {
  return std::all_of(edges_.begin(), edges_.end(), [this](const PbqpEdge& e) {
    return e.costs.rows() == num_options(e.u) && e.costs.cols() == num_options(e.v);
  });
}

double PbqpProblem::Evaluate(const std::vector<int>& choice) const {
  assert(choice.size() == nodes_.size());
  double cost = 0;
  for (int i = 0; i < num_nodes(); ++i) cost += node_costs(i)[choice[i]];
  for (const PbqpEdge& e : edges_) cost += e.costs.At(choice[e.u], choice[e.v]);
  return cost;
}

}  // namespace fettle
