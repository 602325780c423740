#include "fettle/search/pbqp_core_graph.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "fettle/search/pbqp_reduction.h"

namespace fettle {
PbqpCoreGraph::PbqpCoreGraph(std::vector<std::vector<double>> costs, double tolerance)
    : costs_(std::move(costs)),
      is_alive_(costs_.size(), true),
      incident_(costs_.size()),
      num_alive_(static_cast<int>(costs_.size())),
      tolerance_(tolerance) {
  for (int i = 0; i < num_nodes(); ++i) reducible_.push_back(i);
}

PbqpCoreGraph::PbqpCoreGraph(const PbqpProblem& problem, double tolerance)
    : PbqpCoreGraph(
          [&problem] {
            std::vector<std::vector<double>> costs;
            costs.reserve(problem.num_nodes());
            for (int i = 0; i < problem.num_nodes(); ++i) costs.push_back(problem.node_costs(i));
            return costs;
          }(),
          tolerance) {
  for (int e = 0; e < problem.num_edges(); ++e) {
    AddEdge(problem.edge(e).u, problem.edge(e).v, problem.edge(e).costs);
  }
}

int64_t PbqpCoreGraph::num_entries() const {
  int64_t entries = 0;
  for (const Edge& edge : edges_) entries += static_cast<int64_t>(edge.costs.values().size());
  return entries;
}

void PbqpCoreGraph::AddEdge(int u, int v, PbqpMatrix costs) {
  for (int e : incident_[u]) {
    if (Other(e, u) != v) continue;
    if (edges_[e].u == u) {
      edges_[e].costs.Add(costs);
    } else {
      edges_[e].costs.AddTransposed(costs);
    }
    MaybeDropEdge(e);
    return;
  }
  const int edge = static_cast<int>(edges_.size());
  edges_.push_back({u, v, std::move(costs)});
  incident_[u].push_back(edge);
  incident_[v].push_back(edge);
  MaybeDropEdge(edge);
}

void PbqpCoreGraph::MaybeDropEdge(int e) {
  Edge& edge = edges_[e];
  const Separation parts = Separate(edge.costs, tolerance_);
  if (!parts.separable) return;
  for (size_t a = 0; a < parts.row.size(); ++a) costs_[edge.u][a] += parts.row[a];
  for (size_t b = 0; b < parts.col.size(); ++b) costs_[edge.v][b] += parts.col[b];
  TakeEdge(e, edge.u);
}

void PbqpCoreGraph::Detach(int edge, int node) {
  std::erase(incident_[node], edge);
  if (degree(node) <= 2) reducible_.push_back(node);
}

PbqpMatrix PbqpCoreGraph::TakeEdge(int e, int node) {
  Edge& edge = edges_[e];
  Detach(e, edge.u);
  Detach(e, edge.v);
  PbqpMatrix matrix = std::move(edge.costs);
  edge.costs = PbqpMatrix();
  return edge.u == node ? matrix : matrix.Transposed();
}

void PbqpCoreGraph::Fix(int node, int option) {
  assert(is_alive_[node]);
  constant_ += costs_[node][option];
  const std::vector<int> edges = incident_[node];
  for (int e : edges) {
    const int other = Other(e, node);
    const PbqpMatrix matrix = TakeEdge(e, node);
    for (int b = 0; b < matrix.cols(); ++b) costs_[other][b] += matrix.At(option, b);
  }
  removals_.push_back({node, option, {}, {}, {}});
  is_alive_[node] = false;
  --num_alive_;
}

int64_t PbqpCoreGraph::Reduce() {
  int64_t visited = 0;
  while (!reducible_.empty()) {
    const int node = reducible_.back();
    reducible_.pop_back();
    if (!is_alive_[node] || degree(node) > 2) continue;
    int64_t entries = static_cast<int64_t>(costs_[node].size());
    for (int e : incident_[node]) entries *= static_cast<int64_t>(costs_[Other(e, node)].size());
    visited += entries;
    Remove(node);
  }
  return visited;
}

void PbqpCoreGraph::Remove(int node) {
  Removal removal{node, -1, costs_[node], {}, {}};
  const std::vector<int> edges = incident_[node];
  for (int e : edges) {
    removal.neighbours.push_back(Other(e, node));
    removal.matrices.push_back(TakeEdge(e, node));
  }
  is_alive_[node] = false;
  --num_alive_;
  if (edges.empty()) {
    const int best = BestOption(removal.costs, {});
    constant_ += best < 0 ? kForbidden : removal.costs[best];
  } else if (edges.size() == 1) {
    std::vector<double> result;
    ReduceToVector(removal.costs, removal.matrices[0], &result);
    std::vector<double>& costs = costs_[removal.neighbours[0]];
    for (size_t a = 0; a < result.size(); ++a) costs[a] += result[a];
  } else {
    PbqpMatrix result;
    ReduceToMatrix(removal.costs, removal.matrices[0], removal.matrices[1], &result);
    AddEdge(removal.neighbours[0], removal.neighbours[1], std::move(result));
  }
  removals_.push_back(std::move(removal));
}

std::vector<std::vector<int>> PbqpCoreGraph::Components() const {
  std::vector<std::vector<int>> components;
  std::vector<char> is_seen(costs_.size(), false);
  for (int start = 0; start < num_nodes(); ++start) {
    if (!is_alive_[start] || is_seen[start]) continue;
    std::vector<int>& nodes = components.emplace_back(1, start);
    is_seen[start] = true;
    for (size_t next = 0; next < nodes.size(); ++next) {
      const int node = nodes[next];
      for (int e : incident_[node]) {
        const int other = Other(e, node);
        if (!is_seen[other]) nodes.push_back(other);
        is_seen[other] = true;
      }
    }
    std::sort(nodes.begin(), nodes.end());
  }
  return components;
}

PbqpCoreGraph::Part PbqpCoreGraph::Extract(const std::vector<int>& nodes) const {
  std::vector<std::vector<int>> options;
  std::vector<std::vector<double>> costs;
  std::vector<int> local(costs_.size(), -1);
  for (int node : nodes) {
    local[node] = static_cast<int>(options.size());
    std::vector<int>& kept = options.emplace_back();
    std::vector<double>& kept_costs = costs.emplace_back();
    for (int a = 0; a < static_cast<int>(costs_[node].size()); ++a) {
      if (costs_[node][a] == kForbidden) continue;
      kept.push_back(a);
      kept_costs.push_back(costs_[node][a]);
    }
  }
  Part part{PbqpCoreGraph(std::move(costs), tolerance_), nodes, std::move(options)};
  for (int node : nodes) {
    for (int e : incident_[node]) {
      const Edge& edge = edges_[e];
      if (edge.u != node || local[edge.v] < 0) continue;
      const std::vector<int>& rows = part.options[local[edge.u]];
      const std::vector<int>& cols = part.options[local[edge.v]];
      PbqpMatrix matrix(static_cast<int>(rows.size()), static_cast<int>(cols.size()));
      for (int r = 0; r < matrix.rows(); ++r) {
        for (int c = 0; c < matrix.cols(); ++c) matrix.At(r, c) = edge.costs.At(rows[r], cols[c]);
      }
      part.graph.AddEdge(local[edge.u], local[edge.v], std::move(matrix));
    }
  }
  return part;
}

void PbqpCoreGraph::Complete(std::vector<int>* choice) const {
  assert(constant_ < kForbidden && choice->size() == costs_.size());
  std::vector<DecidedEdge> decided;
  for (auto removal = removals_.rbegin(); removal != removals_.rend(); ++removal) {
    decided.clear();
    for (size_t i = 0; i < removal->neighbours.size(); ++i) {
      decided.push_back({&removal->matrices[i], (*choice)[removal->neighbours[i]]});
    }
    (*choice)[removal->node] =
        removal->option >= 0 ? removal->option : BestOption(removal->costs, decided);
  }
}

}  // namespace fettle
