#include "fettle/search/pbqp_local_search.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

namespace fettle {
namespace {

constexpr int kMaxRounds = 50;

// Fewer forbidden terms first, then the sum of the others.
struct Score {
  int forbidden = 0;
  double cost = 0;

  void Add(double term) {
    if (term == kForbidden) {
      ++forbidden;
    } else {
      cost += term;
    }
  }
  friend bool operator<(const Score& a, const Score& b) {
    return a.forbidden != b.forbidden ? a.forbidden < b.forbidden : a.cost < b.cost;
  }
};

double Entry(const PbqpEdge& edge, int node, int option, int other_option) {
  return edge.u == node ? edge.costs.At(option, other_option) : edge.costs.At(other_option, option);
}

class LocalSearch {
 public:
  LocalSearch(const PbqpProblem& problem, std::vector<int>* choice)
      : problem_(problem), choice_(*choice), incident_(choice->size()) {
    for (int e = 0; e < problem.num_edges(); ++e) {
      incident_[problem.edge(e).u].push_back(e);
      incident_[problem.edge(e).v].push_back(e);
    }
  }

  // What the node's options cost, given all others; edges to `except` are left out.
  std::vector<Score> Scores(int node, int except = -1) const {
    std::vector<Score> scores(problem_.node_costs(node).size());
    for (int a = 0; a < static_cast<int>(scores.size()); ++a) {
      scores[a].Add(problem_.node_costs(node)[a]);
      for (int e : incident_[node]) {
        const int other = Other(e, node);
        if (other == except) continue;
        scores[a].Add(Entry(problem_.edge(e), node, a, choice_[other]));
      }
    }
    return scores;
  }

  bool ImproveNode(int node) {
    const std::vector<Score> scores = Scores(node);
    const auto best = std::min_element(scores.begin(), scores.end());
    if (!(*best < scores[choice_[node]])) return false;
    choice_[node] = static_cast<int>(best - scores.begin());
    return true;
  }

  bool ImprovePair(int u, int v) {
    const std::vector<Score> scores_u = Scores(u, v), scores_v = Scores(v, u);
    std::vector<int> between;
    for (int e : incident_[u]) {
      if (Other(e, u) == v) between.push_back(e);
    }
    const auto joint = [&](int a, int b) {
      Score score = scores_u[a];
      score.forbidden += scores_v[b].forbidden;
      score.cost += scores_v[b].cost;
      for (int e : between) score.Add(Entry(problem_.edge(e), u, a, b));
      return score;
    };
    Score best = joint(choice_[u], choice_[v]);
    bool has_improved = false;
    for (int a = 0; a < static_cast<int>(scores_u.size()); ++a) {
      for (int b = 0; b < static_cast<int>(scores_v.size()); ++b) {
        const Score score = joint(a, b);
        if (!(score < best)) continue;
        best = score;
        choice_[u] = a;
        choice_[v] = b;
        has_improved = true;
      }
    }
    return has_improved;
  }

 private:
  int Other(int e, int node) const {
    return problem_.edge(e).u == node ? problem_.edge(e).v : problem_.edge(e).u;
  }

  const PbqpProblem& problem_;
  std::vector<int>& choice_;
  std::vector<std::vector<int>> incident_;
};

}  // namespace

void ImproveLocally(const PbqpProblem& problem, std::vector<int>* choice) {
  LocalSearch search(problem, choice);
  for (int round = 0; round < kMaxRounds; ++round) {
    bool has_improved = false;
    for (int node = 0; node < problem.num_nodes(); ++node) {
      has_improved = search.ImproveNode(node) || has_improved;
    }
    // Pairs are dearer: only once single nodes are settled.
    if (has_improved) continue;
    for (int e = 0; e < problem.num_edges(); ++e) {
      has_improved = search.ImprovePair(problem.edge(e).u, problem.edge(e).v) || has_improved;
    }
    if (!has_improved) return;
  }
}

std::optional<std::vector<int>> CheapestOptions(const PbqpProblem& problem) {
  std::vector<int> choice;
  for (int node = 0; node < problem.num_nodes(); ++node) {
    const std::vector<double>& costs = problem.node_costs(node);
    const auto best = std::min_element(costs.begin(), costs.end());
    if (best == costs.end() || *best == kForbidden) return std::nullopt;
    choice.push_back(static_cast<int>(best - costs.begin()));
  }
  return choice;
}

std::vector<PbqpChange> BestSingleChanges(const PbqpProblem& problem,
                                          const std::vector<int>& choice, int count) {
  std::vector<int> current = choice;
  const LocalSearch search(problem, &current);
  const double cost = problem.Evaluate(choice);
  assert(cost < kForbidden);
  std::vector<PbqpChange> changes;
  for (int node = 0; node < problem.num_nodes(); ++node) {
    const std::vector<Score> scores = search.Scores(node);
    for (int a = 0; a < static_cast<int>(scores.size()); ++a) {
      if (a == choice[node] || scores[a].forbidden > 0) continue;
      changes.push_back({node, a, cost + (scores[a].cost - scores[choice[node]].cost)});
    }
  }
  std::stable_sort(changes.begin(), changes.end(),
                   [](const PbqpChange& a, const PbqpChange& b) { return a.cost < b.cost; });
  if (static_cast<int>(changes.size()) > count) changes.resize(static_cast<size_t>(count));
  return changes;
}

}  // namespace fettle
