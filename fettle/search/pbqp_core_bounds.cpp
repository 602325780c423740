// The lower bounds of PbqpCoreGraph.
#include <algorithm>
#include <vector>

#include "fettle/search/pbqp_core_graph.h"
#include "fettle/search/pbqp_reduction.h"

namespace fettle {
namespace {

// Four at once, since one after another each waits for the one before.
double Minimum(const double* costs, int n) {
  double least[4] = {kForbidden, kForbidden, kForbidden, kForbidden};
  int i = 0;
  for (; i + 4 <= n; i += 4) {
    for (int k = 0; k < 4; ++k) least[k] = Smaller(costs[i + k], least[k]);
  }
  for (; i < n; ++i) least[0] = Smaller(costs[i], least[0]);
  return Smaller(Smaller(least[0], least[1]), Smaller(least[2], least[3]));
}

double Minimum(const std::vector<double>& costs) {
  return Minimum(costs.data(), static_cast<int>(costs.size()));
}

}  // namespace

// For each option of the node, the least that the edge can add.
std::vector<double> PbqpCoreGraph::MinimaFor(int e, int node) const {
  const Edge& edge = edges_[e];
  std::vector<double> minima(costs_[node].size(), kForbidden);
  const int cols = edge.costs.cols();
  for (int r = 0; r < edge.costs.rows(); ++r) {
    const double* const row = edge.costs.Row(r);
    if (edge.u == node) {
      minima[r] = Minimum(row, cols);
    } else {
      for (int c = 0; c < cols; ++c) minima[c] = Smaller(row[c], minima[c]);
    }
  }
  return minima;
}

// Adds shifts[a] to whatever the edge charges for the node's option a.
void PbqpCoreGraph::Shift(int e, int node, const std::vector<double>& shifts) {
  PbqpMatrix& matrix = edges_[e].costs;
  const bool is_row = edges_[e].u == node;
  for (int r = 0; r < matrix.rows(); ++r) {
    double* const row = matrix.Row(r);
    if (is_row) {
      for (int c = 0; c < matrix.cols(); ++c) row[c] += shifts[r];
    } else {
      for (int c = 0; c < matrix.cols(); ++c) row[c] += shifts[c];
    }
  }
}

// Moves what every edge must add at least into the node.
void PbqpCoreGraph::Pull(int node) {
  std::vector<double>& costs = costs_[node];
  std::vector<double> shifts(costs.size());
  for (int e : incident_[node]) {
    const std::vector<double> minima = MinimaFor(e, node);
    for (size_t a = 0; a < costs.size(); ++a) {
      costs[a] += minima[a];
      shifts[a] = minima[a] < kForbidden ? -minima[a] : 0;
    }
    Shift(e, node, shifts);
  }
  // An impossible option must not support the neighbours' options.
  for (size_t a = 0; a < costs.size(); ++a) shifts[a] = costs[a] < kForbidden ? 0 : kForbidden;
  if (std::find(shifts.begin(), shifts.end(), kForbidden) == shifts.end()) return;
  for (int e : incident_[node]) Shift(e, node, shifts);
}

// Shares the node's costs among the edges to the nodes after (before) it, keeping as much as there
// are more edges on the other side.
void PbqpCoreGraph::Push(int node, bool to_later) {
  const auto is_ahead = [&](int e) { return (Other(e, node) > node) == to_later; };
  const int total = degree(node);
  const int ahead =
      static_cast<int>(std::count_if(incident_[node].begin(), incident_[node].end(), is_ahead));
  if (ahead == 0) return;
  const double weight = 1.0 / std::max(ahead, total - ahead);
  std::vector<double> shares = costs_[node];
  for (size_t a = 0; a < shares.size(); ++a) {
    shares[a] = shares[a] < kForbidden ? shares[a] * weight : 0;
    costs_[node][a] -= ahead * shares[a];
  }
  for (int e : incident_[node]) {
    if (is_ahead(e)) Shift(e, node, shares);
  }
}

void PbqpCoreGraph::Tighten(int sweeps) {
  for (int sweep = 0; sweep < sweeps; ++sweep) {
    for (int node = 0; node < num_nodes(); ++node) {
      if (!is_alive_[node]) continue;
      Pull(node);
      Push(node, /*to_later=*/true);
    }
    for (int node = num_nodes() - 1; node >= 0; --node) {
      if (!is_alive_[node]) continue;
      Pull(node);
      Push(node, /*to_later=*/false);
    }
  }
}

double PbqpCoreGraph::LowerBound() const {
  double bound = 0;
  for (int node = 0; node < num_nodes(); ++node) {
    if (!is_alive_[node]) continue;
    bound += Minimum(costs_[node]);
    for (int e : incident_[node]) {
      if (edges_[e].u == node) bound += Minimum(edges_[e].costs.values());
    }
  }
  return bound;
}

std::vector<double> PbqpCoreGraph::OptionBounds(int node, double lower_bound) const {
  // The bound's terms that the option touches are replaced by their values under the option.
  std::vector<double> bounds = costs_[node];
  double touched = Minimum(bounds);
  for (int e : incident_[node]) {
    const PbqpMatrix& matrix = edges_[e].costs;
    const std::vector<double>& costs = costs_[Other(e, node)];
    touched += Minimum(matrix.values()) + Minimum(costs);
    const bool is_row = edges_[e].u == node;
    for (int a = 0; a < static_cast<int>(bounds.size()); ++a) {
      double least = kForbidden;
      for (int b = 0; b < static_cast<int>(costs.size()); ++b) {
        least = std::min(least, costs[b] + (is_row ? matrix.At(a, b) : matrix.At(b, a)));
      }
      bounds[a] += least;
    }
  }
  if (touched == kForbidden || lower_bound == kForbidden) {
    return std::vector<double>(bounds.size(), kForbidden);
  }
  for (double& bound : bounds) bound += lower_bound - touched;
  return bounds;
}

}  // namespace fettle
