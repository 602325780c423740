#include "fettle/search/pbqp_core.h"

#include <gtest/gtest.h>

#include <set>

#include "fettle/core/random.h"
#include "fettle/search/pbqp_core_graph.h"
#include "fettle/search/pbqp_core_ranking.h"
#include "fettle/search/pbqp_local_search.h"
#include "tests/search/random_pbqp.h"

namespace fettle {
namespace {

constexpr double kTolerance = 1e-9;
constexpr int64_t kAmple = int64_t{1} << 40;

// Dense, with links that differ for every pair: what leaves a core.
PbqpProblem DenseProblem(int nodes, int options, double forbidden, bool has_integers,
                         Random* random) {
  RandomPbqpSettings settings;
  settings.forbidden = forbidden;
  settings.has_integers = has_integers;
  PbqpProblem problem;
  for (int i = 0; i < nodes; ++i) problem.AddNode(RandomCosts(settings, options, random));
  for (int i = 0; i < nodes; ++i) {
    for (int j = 0; j < i; ++j) {
      problem.AddEdge(i, j, RandomMatrix(settings, options, options, random));
    }
  }
  return problem;
}

TEST(PbqpCoreTest, EqualsBruteForceOnDenseProblems) {
  Random random(21);
  int branched = 0, infeasible = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    const double shares[] = {0, 0.2, 0.5, 0.7};
    const PbqpProblem problem =
        DenseProblem(static_cast<int>(random.Integer(4, 7)), static_cast<int>(random.Integer(2, 4)),
                     shares[random.Below(4)], random.Chance(0.5), &random);
    const double expected = BruteForceCost(problem);
    const PbqpCoreSolution solution = SolvePbqpCore(problem, kAmple);
    branched += solution.branches > 0;
    infeasible += !solution.feasible;
    ASSERT_TRUE(solution.exact);
    ASSERT_EQ(solution.feasible, expected < kForbidden);
    if (!solution.feasible) continue;
    ASSERT_NEAR(solution.cost, expected, kTolerance);
    ASSERT_EQ(problem.Evaluate(solution.choice), solution.cost);
  }
  EXPECT_GT(branched, 300);
  EXPECT_GT(infeasible, 100);
}

TEST(PbqpCoreTest, StopsAtTheBudgetAndSaysSo) {
  Random random(22);
  const PbqpProblem problem = DenseProblem(16, 8, 0, false, &random);
  const PbqpCoreSolution quick = SolvePbqpCore(problem, 200'000);
  EXPECT_TRUE(quick.feasible);
  EXPECT_FALSE(quick.exact);
  EXPECT_LT(quick.lower_bound, quick.cost);
  EXPECT_LT(quick.spent, 2'000'000);
  const PbqpCoreSolution longer = SolvePbqpCore(problem, 20'000'000);
  EXPECT_LE(longer.cost, quick.cost);
  EXPECT_GE(longer.spent, 20'000'000);
}

TEST(PbqpCoreTest, RankingEqualsBruteForce) {
  Random random(23);
  for (int trial = 0; trial < 600; ++trial) {
    const PbqpProblem problem = DenseProblem(static_cast<int>(random.Integer(4, 6)), 3,
                                             random.Chance(0.5) ? 0.4 : 0, trial % 2, &random);
    const PbqpCoreSolution best = SolvePbqpCore(problem, kAmple);
    if (!best.feasible) continue;
    const auto all = AllAssignments(problem);
    const PbqpRanking ranking = RankPbqpCore(problem, best, 5, kAmple);
    ASSERT_TRUE(ranking.exact);
    ASSERT_EQ(ranking.choices.size(), std::min<size_t>(5, all.size()));
    std::set<std::vector<int>> distinct;
    for (size_t i = 0; i < ranking.choices.size(); ++i) {
      ASSERT_NEAR(problem.Evaluate(ranking.choices[i]), all[i].first, kTolerance);
      distinct.insert(ranking.choices[i]);
    }
    EXPECT_EQ(distinct.size(), ranking.choices.size());
  }
}

// The nodes of `graph` decided as in `choice`, which must agree with what it has reduced away.
double CostIn(PbqpCoreGraph graph, const std::vector<int>& choice) {
  for (int i = 0; i < graph.num_nodes(); ++i) {
    if (graph.IsAlive(i)) graph.Fix(i, choice[i]);
  }
  return graph.constant();
}

TEST(PbqpCoreGraphTest, TighteningKeepsEveryCostAndBoundsThem) {
  Random random(24);
  for (int trial = 0; trial < 200; ++trial) {
    const PbqpProblem problem =
        DenseProblem(5, 3, random.Chance(0.5) ? 0.3 : 0, random.Chance(0.5), &random);
    PbqpCoreGraph graph(problem, 1e-13);
    double previous = -kForbidden;
    for (int sweeps = 0; sweeps < 6; ++sweeps) {
      const double bound = graph.LowerBound();
      EXPECT_GE(bound, previous - kTolerance) << "the bound never falls";
      previous = bound;
      const auto all = AllAssignments(problem);
      std::vector<std::vector<double>> best(5, std::vector<double>(3, kForbidden));
      for (const auto& [cost, choice] : all) {
        ASSERT_NEAR(CostIn(graph, choice), cost, kTolerance);
        ASSERT_GE(cost, graph.constant() + bound - kTolerance);
        for (int i = 0; i < 5; ++i) best[i][choice[i]] = std::min(best[i][choice[i]], cost);
      }
      for (int i = 0; i < 5; ++i) {
        if (!graph.IsAlive(i)) continue;
        const std::vector<double> bounds = graph.OptionBounds(i, bound);
        for (int a = 0; a < 3; ++a) {
          ASSERT_LE(graph.constant() + bounds[a], best[i][a] + kTolerance);
        }
      }
      graph.Tighten(1);
    }
  }
}

TEST(PbqpCoreGraphTest, ExtractLeavesOutForbiddenOptionsAndOtherNodes) {
  PbqpProblem problem;
  problem.AddNode({1, kForbidden, 3});
  problem.AddNode({kForbidden, 5});
  problem.AddNode({7, 8});
  problem.AddEdge(0, 2, PbqpMatrix(3, 2, {0, 1, 2, 3, 4, 0}));
  const PbqpCoreGraph graph(problem, 0);
  EXPECT_EQ(graph.Components(), (std::vector<std::vector<int>>{{0, 2}, {1}}));
  const PbqpCoreGraph::Part part = graph.Extract({0, 2});
  EXPECT_EQ(part.nodes, (std::vector<int>{0, 2}));
  EXPECT_EQ(part.options, (std::vector<std::vector<int>>{{0, 2}, {0, 1}}));
  EXPECT_EQ(CostIn(part.graph, {0, 1}), 1 + 8 + 1);
  EXPECT_EQ(CostIn(part.graph, {1, 1}), 3 + 8 + 0);
}

TEST(PbqpLocalSearchTest, EndsWhereNoNodeOrPairCanImprove) {
  Random random(25);
  for (int trial = 0; trial < 300; ++trial) {
    const PbqpProblem problem = DenseProblem(5, 3, 0, false, &random);
    std::vector<int> choice(5);
    for (int& option : choice) option = static_cast<int>(random.Below(3));
    const double before = problem.Evaluate(choice);
    ImproveLocally(problem, &choice);
    const double after = problem.Evaluate(choice);
    EXPECT_LE(after, before);
    for (const auto& [cost, other] : AllAssignments(problem)) {
      int changed = 0;
      for (int i = 0; i < 5; ++i) changed += other[i] != choice[i];
      if (changed <= 2) {
        ASSERT_GE(cost, after - kTolerance);
      }
    }
    const std::vector<PbqpChange> changes = BestSingleChanges(problem, choice, 4);
    ASSERT_EQ(changes.size(), 4u);
    for (const PbqpChange& change : changes) {
      std::vector<int> changed = choice;
      changed[change.node] = change.option;
      EXPECT_NEAR(problem.Evaluate(changed), change.cost, kTolerance);
    }
  }
}

TEST(PbqpLocalSearchTest, FindsItsWayOutOfForbiddenAssignments) {
  PbqpProblem problem;
  problem.AddNode({0, 5});
  problem.AddNode({0, 5});
  problem.AddEdge(0, 1, PbqpMatrix(2, 2, {kForbidden, 0, 0, 0}));
  std::vector<int> choice = CheapestOptions(problem).value();
  EXPECT_EQ(choice, (std::vector<int>{0, 0}));
  ImproveLocally(problem, &choice);
  EXPECT_EQ(problem.Evaluate(choice), 5);
  problem.AddNode({kForbidden});
  EXPECT_EQ(CheapestOptions(problem), std::nullopt);
}

}  // namespace
}  // namespace fettle
