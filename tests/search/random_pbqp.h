// Random PBQPs of every shape, and solving them by trying everything.
#pragma once

#include <algorithm>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/random.h"
#include "fettle/search/pbqp_problem.h"

namespace fettle {

enum class PbqpShape { kChain, kTree, kSeriesParallel, kSparse, kDense };
inline constexpr PbqpShape kPbqpShapes[] = {PbqpShape::kChain, PbqpShape::kTree,
                                            PbqpShape::kSeriesParallel, PbqpShape::kSparse,
                                            PbqpShape::kDense};

struct RandomPbqpSettings {
  PbqpShape shape = PbqpShape::kChain;
  int max_nodes = 8;
  int max_options = 4;
  double forbidden = 0;       // the share of forbidden entries
  double separable = 0;       // the share of matrices that link nothing
  bool has_integers = false;  // few distinct costs: many ties
};

inline double RandomCost(const RandomPbqpSettings& settings, Random* random) {
  if (random->Chance(settings.forbidden)) return kForbidden;
  if (settings.has_integers) return static_cast<double>(random->Integer(-3, 6));
  return random->Uniform(-1, 3);
}

inline std::vector<double> RandomCosts(const RandomPbqpSettings& settings, int options,
                                       Random* random) {
  std::vector<double> costs(static_cast<size_t>(options));
  for (double& cost : costs) cost = RandomCost(settings, random);
  return costs;
}

inline PbqpMatrix RandomMatrix(const RandomPbqpSettings& settings, int rows, int cols,
                               Random* random) {
  PbqpMatrix matrix(rows, cols);
  const bool is_separable = random->Chance(settings.separable);
  const std::vector<double> row = RandomCosts(settings, rows, random);
  const std::vector<double> col = RandomCosts(settings, cols, random);
  for (int i = 0; i < rows; ++i) {
    for (int j = 0; j < cols; ++j) {
      matrix.At(i, j) = is_separable ? row[i] + col[j] : RandomCost(settings, random);
    }
  }
  return matrix;
}

// Pairs of nodes; some pairs more than once.
inline std::vector<std::pair<int, int>> RandomLinks(PbqpShape shape, int n, Random* random) {
  std::vector<std::pair<int, int>> links;
  const auto any = [&](int low, int high) { return static_cast<int>(random->Integer(low, high)); };
  if (shape == PbqpShape::kSparse || shape == PbqpShape::kDense) {
    const double density = shape == PbqpShape::kDense ? 0.8 : 0.35;
    for (int i = 0; i < n; ++i) {
      for (int j = 0; j < i; ++j) {
        if (random->Chance(density)) links.emplace_back(i, j);
      }
    }
  } else if (shape == PbqpShape::kSeriesParallel) {
    // Each new node goes in parallel to, or in the middle of, a link that exists.
    if (n > 1) links.emplace_back(0, 1);
    for (int i = 2; i < n; ++i) {
      const size_t at = static_cast<size_t>(random->Below(links.size()));
      const auto [u, v] = links[at];
      if (random->Chance(0.4)) links.erase(links.begin() + static_cast<std::ptrdiff_t>(at));
      links.emplace_back(u, i);
      links.emplace_back(i, v);
    }
  } else {
    for (int i = 1; i < n; ++i) {
      links.emplace_back(shape == PbqpShape::kChain ? i - 1 : any(0, i - 1), i);
    }
  }
  for (int i = 0; i < n / 4 && !links.empty(); ++i) {
    const auto [u, v] = links[static_cast<size_t>(random->Below(links.size()))];
    links.emplace_back(v, u);
  }
  random->Shuffle(&links);
  return links;
}

inline PbqpProblem RandomPbqp(const RandomPbqpSettings& settings, Random* random) {
  PbqpProblem problem;
  const int n = static_cast<int>(random->Integer(0, settings.max_nodes));
  for (int i = 0; i < n; ++i) {
    const int options = static_cast<int>(random->Integer(1, settings.max_options));
    problem.AddNode(RandomCosts(settings, options, random));
  }
  for (const auto& [u, v] : RandomLinks(settings.shape, n, random)) {
    problem.AddEdge(u, v,
                    RandomMatrix(settings, problem.num_options(u), problem.num_options(v), random));
  }
  return problem;
}

inline RandomPbqpSettings RandomSettings(Random* random) {
  RandomPbqpSettings settings;
  settings.shape = kPbqpShapes[random->Below(5)];
  const double shares[] = {0, 0, 0.1, 0.3, 0.5};
  settings.forbidden = shares[random->Below(5)];
  settings.separable = shares[random->Below(5)];
  settings.has_integers = random->Chance(0.5);
  return settings;
}

// All allowed assignments, cheapest first.
inline std::vector<std::pair<double, std::vector<int>>> AllAssignments(const PbqpProblem& problem) {
  std::vector<std::pair<double, std::vector<int>>> all;
  std::vector<int> choice(static_cast<size_t>(problem.num_nodes()), 0);
  for (int i = 0; i < problem.num_nodes(); ++i) {
    if (problem.num_options(i) == 0) return all;
  }
  for (;;) {
    const double cost = problem.Evaluate(choice);
    if (cost < kForbidden) all.emplace_back(cost, choice);
    int node = 0;
    while (node < problem.num_nodes() && ++choice[node] == problem.num_options(node)) {
      choice[node++] = 0;
    }
    if (node == problem.num_nodes()) break;
  }
  std::sort(all.begin(), all.end());
  return all;
}

inline double BruteForceCost(const PbqpProblem& problem) {
  double best = kForbidden;
  std::vector<int> choice(static_cast<size_t>(problem.num_nodes()), 0);
  for (int i = 0; i < problem.num_nodes(); ++i) {
    if (problem.num_options(i) == 0) return best;
  }
  for (;;) {
    best = std::min(best, problem.Evaluate(choice));
    int node = 0;
    while (node < problem.num_nodes() && ++choice[node] == problem.num_options(node)) {
      choice[node++] = 0;
    }
    if (node == problem.num_nodes()) return best;
  }
}

}  // namespace fettle
