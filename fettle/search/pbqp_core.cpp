#include "fettle/search/pbqp_core.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <numeric>
#include <optional>
#include <utility>

#include "fettle/search/pbqp_core_graph.h"
#include "fettle/search/pbqp_local_search.h"

namespace fettle {
namespace {

constexpr int kRootSweeps = 20;
constexpr int kInnerSweeps = 3;
constexpr int kVisitsPerSweep = 8;  // of each matrix entry, see PbqpCoreGraph::Tighten

// The magnitude that rounding errors are relative to.
double Scale(const PbqpProblem& problem) {
  double scale = 0;
  const auto add_largest = [&scale](const std::vector<double>& values) {
    double largest = 0;
    for (double value : values) {
      if (value < kForbidden) largest = std::max(largest, std::abs(value));
    }
    scale += largest;
  };
  for (int i = 0; i < problem.num_nodes(); ++i) add_largest(problem.node_costs(i));
  for (int e = 0; e < problem.num_edges(); ++e) add_largest(problem.edge(e).costs.values());
  return scale;
}

// Of the nodes left, the one with the most neighbours; of those the one with the fewest options.
int BranchNode(const PbqpCoreGraph& graph) {
  int best = -1;
  for (int node = 0; node < graph.num_nodes(); ++node) {
    if (!graph.IsAlive(node)) continue;
    if (best >= 0 && graph.degree(node) < graph.degree(best)) continue;
    if (best >= 0 && graph.degree(node) == graph.degree(best) &&
        graph.costs(node).size() >= graph.costs(best).size()) {
      continue;
    }
    best = node;
  }
  return best;
}

struct Found {
  double cost;
  std::vector<int> choice;
};

class CoreSearch {
 public:
  CoreSearch(double tolerance, int64_t budget) : tolerance_(tolerance), budget_(budget) {}

  void Charge(int64_t entries) { spent_ += entries; }
  bool is_exhausted() const { return is_exhausted_; }
  int64_t spent() const { return spent_; }
  int64_t branches() const { return branches_; }

  // The best assignment cheaper than `upper`, if there is one (if the budget lasts: otherwise the
  // best one met, if any).
  std::optional<Found> Explore(PbqpCoreGraph graph, double upper, int sweeps) {
    if (spent_ >= budget_) {
      is_exhausted_ = true;
      return std::nullopt;
    }
    Charge(graph.Reduce());
    if (graph.constant() == kForbidden) return std::nullopt;
    if (graph.IsEmpty()) {
      if (!(graph.constant() < upper)) return std::nullopt;
      Found found{graph.constant(), std::vector<int>(graph.num_nodes(), -1)};
      graph.Complete(&found.choice);
      return found;
    }
    Charge(graph.num_entries() * kVisitsPerSweep * (sweeps + 1));
    graph.Tighten(sweeps);
    const bool has_shrunk = Filter(upper, &graph);
    const double bound = graph.constant() + graph.LowerBound();
    if (!(bound < upper - tolerance_)) return std::nullopt;
    return ExploreParts(graph, upper, has_shrunk);
  }

 private:
  // Forbids the options that cannot beat `upper`; true when that is a good part of all.
  bool Filter(double upper, PbqpCoreGraph* graph) const {
    const double lower_bound = graph->LowerBound();
    size_t options = 0, forbidden = 0;
    for (int node = 0; node < graph->num_nodes(); ++node) {
      if (!graph->IsAlive(node)) continue;
      const std::vector<double> bounds = graph->OptionBounds(node, lower_bound);
      options += bounds.size();
      for (size_t a = 0; a < bounds.size(); ++a) {
        if (graph->constant() + bounds[a] < upper - tolerance_) continue;
        graph->Forbid(node, static_cast<int>(a));
        ++forbidden;
      }
    }
    return forbidden * 4 > options;
  }

  // Connected parts are independent: each is given what the others leave of `upper`.
  std::optional<Found> ExploreParts(const PbqpCoreGraph& graph, double upper, bool has_shrunk) {
    std::vector<PbqpCoreGraph::Part> parts;
    for (const std::vector<int>& nodes : graph.Components()) parts.push_back(graph.Extract(nodes));
    double rest = 0;  // a bound on the parts not yet solved
    for (const auto& part : parts) rest += part.graph.LowerBound();
    if (rest == kForbidden) return std::nullopt;
    Found found{graph.constant(), std::vector<int>(graph.num_nodes(), -1)};
    for (PbqpCoreGraph::Part& part : parts) {
      rest -= part.graph.LowerBound();
      const double left = upper - found.cost - rest;
      const std::optional<Found> solved = has_shrunk
                                              ? Explore(std::move(part.graph), left, kInnerSweeps)
                                              : Branch(std::move(part.graph), left);
      if (!solved.has_value()) return std::nullopt;
      found.cost += solved->cost;
      for (size_t i = 0; i < part.nodes.size(); ++i) {
        found.choice[part.nodes[i]] = part.options[i][solved->choice[i]];
      }
    }
    if (!(found.cost < upper)) return std::nullopt;
    graph.Complete(&found.choice);
    return found;
  }

  std::optional<Found> Branch(PbqpCoreGraph graph, double upper) {
    // Striking out options may have made edges separable, and with them the rest reducible.
    Charge(graph.Reduce());
    if (graph.IsEmpty()) return Explore(std::move(graph), upper, 0);
    const int node = BranchNode(graph);
    const std::vector<double> bounds = graph.OptionBounds(node, graph.LowerBound());
    std::vector<int> order(bounds.size());
    std::iota(order.begin(), order.end(), 0);
    std::stable_sort(order.begin(), order.end(),
                     [&bounds](int a, int b) { return bounds[a] < bounds[b]; });
    std::optional<Found> best;
    for (int option : order) {
      if (!(graph.constant() + bounds[option] < upper - tolerance_)) break;
      if (spent_ >= budget_) {
        is_exhausted_ = true;
        break;
      }
      ++branches_;
      PbqpCoreGraph child = graph;
      Charge(child.num_entries());
      child.Fix(node, option);
      std::optional<Found> found = Explore(std::move(child), upper, kInnerSweeps);
      if (!found.has_value()) continue;
      upper = found->cost;
      best = std::move(found);
    }
    return best;
  }

  double tolerance_;
  int64_t budget_;
  int64_t spent_ = 0;
  int64_t branches_ = 0;
  bool is_exhausted_ = false;
};

// RN: nothing where it runs into a dead end.
std::optional<std::vector<int>> Dive(PbqpCoreGraph graph, int* fixed) {
  graph.Reduce();
  while (!graph.IsEmpty() && graph.constant() < kForbidden) {
    const int node = BranchNode(graph);
    // Only the terms at the node tell its options apart.
    const std::vector<double> bounds = graph.OptionBounds(node, 0);
    const auto best = std::min_element(bounds.begin(), bounds.end());
    if (best == bounds.end() || *best == kForbidden) return std::nullopt;
    graph.Fix(node, static_cast<int>(best - bounds.begin()));
    ++*fixed;
    graph.Reduce();
  }
  if (graph.constant() == kForbidden) return std::nullopt;
  std::vector<int> choice(graph.num_nodes(), -1);
  graph.Complete(&choice);
  return choice;
}

}  // namespace

PbqpCoreSolution SolvePbqpCore(const PbqpProblem& problem, int64_t budget) {
  PbqpCoreSolution solution;
  const double scale = Scale(problem);
  const double tolerance = 1e-12 * scale;
  PbqpCoreGraph graph(problem, 1e-13 * scale);
  CoreSearch search(tolerance, budget);
  search.Charge(graph.Reduce());
  // Large cores get fewer sweeps, so that the bound does not eat the whole budget.
  const int64_t sweep_cost = std::max<int64_t>(1, graph.num_entries() * kVisitsPerSweep);
  const int sweeps = static_cast<int>(std::clamp<int64_t>(budget / 2 / sweep_cost, 2, kRootSweeps));
  graph.Tighten(sweeps);
  search.Charge(sweeps * sweep_cost);
  solution.lower_bound = graph.constant() + graph.LowerBound();
  if (solution.lower_bound == kForbidden) {
    solution.exact = true;
    return solution;
  }
  const auto take = [&](std::vector<int> choice) {
    const double cost = problem.Evaluate(choice);
    if (cost == kForbidden) return;
    solution.choice = std::move(choice);
    solution.cost = cost;
  };
  std::optional<std::vector<int>> first = Dive(graph, &solution.heuristic_nodes);
  if (!first.has_value()) first = CheapestOptions(problem);
  const auto is_proven = [&] { return !(solution.lower_bound < solution.cost - tolerance); };
  if (first.has_value()) {
    take(*first);
    if (!is_proven()) {
      ImproveLocally(problem, &*first);
      take(*std::move(first));
    }
  }
  if (!is_proven()) {
    std::optional<Found> found = search.Explore(std::move(graph), solution.cost, 0);
    if (found.has_value()) {
      if (search.is_exhausted()) ImproveLocally(problem, &found->choice);
      take(std::move(found->choice));
    }
  }
  solution.exact = !search.is_exhausted();
  solution.feasible = solution.cost < kForbidden;
  solution.branches = search.branches();
  solution.spent = search.spent();
  if (solution.exact) solution.lower_bound = solution.cost;
  return solution;
}

}  // namespace fettle
