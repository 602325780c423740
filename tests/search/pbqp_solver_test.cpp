#include "fettle/search/pbqp_solver.h"

#include <gtest/gtest.h>

#include <set>

#include "fettle/core/random.h"
#include "tests/search/random_pbqp.h"

namespace fettle {
namespace {

constexpr double kTolerance = 1e-9;

PbqpMatrix Matrix(int rows, int cols, std::vector<double> values) {
  return PbqpMatrix(rows, cols, std::move(values));
}

TEST(PbqpSolverTest, EmptyProblemCostsNothing) {
  const PbqpSolution solution = SolvePbqp({});
  EXPECT_TRUE(solution.feasible && solution.exact);
  EXPECT_EQ(solution.cost, 0);
  EXPECT_TRUE(solution.choice.empty());
}

TEST(PbqpSolverTest, SingleNodeTakesItsCheapestOption) {
  PbqpProblem problem;
  problem.AddNode({3, kForbidden, -1, 2});
  const PbqpSolution solution = SolvePbqp(problem);
  EXPECT_TRUE(solution.feasible && solution.exact);
  EXPECT_EQ(solution.cost, -1);
  EXPECT_EQ(solution.choice, (std::vector<int>{2}));
  EXPECT_EQ(solution.counts.r0, 1);
}

TEST(PbqpSolverTest, HandComputedChain) {
  // Each node alone prefers option 0; the transitions make (0, 1, 1) cheaper.
  PbqpProblem problem;
  for (int i = 0; i < 3; ++i) problem.AddNode({1, 2});
  problem.AddEdge(0, 1, Matrix(2, 2, {9, 0, 9, 0}));
  problem.AddEdge(1, 2, Matrix(2, 2, {0, 5, 5, 0}));
  const PbqpSolution solution = SolvePbqp(problem);
  EXPECT_TRUE(solution.exact);
  EXPECT_EQ(solution.choice, (std::vector<int>{0, 1, 1}));
  EXPECT_EQ(solution.cost, 5);
  EXPECT_EQ(solution.counts.separable_edges, 1) << "the first edge charges node 1 alone";
  EXPECT_EQ(solution.counts.r0 + solution.counts.r1, 3);
}

TEST(PbqpSolverTest, ParallelEdgesAddUpInBothDirections) {
  PbqpProblem problem;
  problem.AddNode({0, 0});
  problem.AddNode({0, 0, 0});
  problem.AddEdge(0, 1, Matrix(2, 3, {5, 1, 5, 5, 5, 2}));
  problem.AddEdge(1, 0, Matrix(3, 2, {0, 0, 7, 0, 0, 1}));
  const PbqpSolution solution = SolvePbqp(problem);
  EXPECT_EQ(solution.choice, (std::vector<int>{1, 2}));
  EXPECT_EQ(solution.cost, 3);
}

TEST(PbqpSolverTest, InfeasibleIsSaidAndProven) {
  PbqpProblem by_node;
  by_node.AddNode({kForbidden, kForbidden});
  PbqpProblem without_options;
  without_options.AddNode({});
  PbqpProblem by_edge;
  by_edge.AddNode({0, 0});
  by_edge.AddNode({0, 0});
  by_edge.AddEdge(0, 1, PbqpMatrix(2, 2, kForbidden));
  PbqpProblem by_colouring;  // four nodes, two colours
  for (int i = 0; i < 4; ++i) by_colouring.AddNode({0, 0});
  for (int i = 0; i < 4; ++i) {
    for (int j = 0; j < i; ++j) {
      by_colouring.AddEdge(i, j, Matrix(2, 2, {kForbidden, 0, 0, kForbidden}));
    }
  }
  for (const PbqpProblem& problem : {by_node, without_options, by_edge, by_colouring}) {
    PbqpSolver solver(problem);
    const PbqpSolution solution = solver.Solve();
    EXPECT_FALSE(solution.feasible);
    EXPECT_TRUE(solution.exact);
    EXPECT_EQ(solution.cost, kForbidden);
    EXPECT_TRUE(solution.choice.empty());
    EXPECT_TRUE(solver.SolveTop(3).empty());
  }
}

TEST(PbqpSolverTest, SeriesParallelGraphsNeedNoCore) {
  Random random(11);
  for (int trial = 0; trial < 500; ++trial) {
    RandomPbqpSettings settings = RandomSettings(&random);
    settings.shape = kPbqpShapes[random.Below(3)];
    const PbqpSolution solution = SolvePbqp(RandomPbqp(settings, &random));
    EXPECT_EQ(solution.counts.core_nodes, 0);
    EXPECT_TRUE(solution.exact);
  }
}

TEST(PbqpSolverTest, EqualsBruteForceOnRandomProblems) {
  Random random(12);
  int with_core = 0, infeasible = 0;
  for (int trial = 0; trial < 6000; ++trial) {
    const RandomPbqpSettings settings = RandomSettings(&random);
    const PbqpProblem problem = RandomPbqp(settings, &random);
    const double expected = BruteForceCost(problem);
    const PbqpSolution solution = SolvePbqp(problem);
    ASSERT_TRUE(solution.exact) << trial;
    ASSERT_EQ(solution.feasible, expected < kForbidden) << trial;
    infeasible += !solution.feasible;
    with_core += solution.counts.core_nodes > 0;
    if (!solution.feasible) continue;
    ASSERT_NEAR(solution.cost, expected, kTolerance) << trial;
    EXPECT_EQ(problem.Evaluate(solution.choice), solution.cost);
    EXPECT_EQ(solution.lower_bound, solution.cost);
    EXPECT_EQ(
        solution.counts.r0 + solution.counts.r1 + solution.counts.r2 + solution.counts.core_nodes,
        problem.num_nodes());
  }
  EXPECT_GT(with_core, 200);
  EXPECT_GT(infeasible, 300);
}

TEST(PbqpSolverTest, WithoutBudgetTheAnswerIsAllowedAndBounded) {
  Random random(13);
  int inexact = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    RandomPbqpSettings settings = RandomSettings(&random);
    settings.shape = PbqpShape::kDense;
    const PbqpProblem problem = RandomPbqp(settings, &random);
    const double expected = BruteForceCost(problem);
    const PbqpSolution solution = SolvePbqp(problem, {.core_budget = 0});
    inexact += !solution.exact;
    EXPECT_EQ(solution.counts.branches, 0);
    EXPECT_LE(solution.lower_bound, expected + kTolerance);
    if (solution.exact) {
      EXPECT_EQ(solution.feasible, expected < kForbidden);
    }
    if (!solution.feasible) continue;
    EXPECT_GE(solution.cost, expected - kTolerance);
    EXPECT_EQ(problem.Evaluate(solution.choice), solution.cost);
    if (solution.exact) {
      EXPECT_NEAR(solution.cost, expected, kTolerance);
    }
  }
  EXPECT_GT(inexact, 50);
}

// A random edit, mostly of costs alone, sometimes of the number of options too.
void Edit(const RandomPbqpSettings& settings, Random* random, PbqpSolver* solver) {
  const PbqpProblem& problem = solver->problem();
  const int node = static_cast<int>(random->Below(static_cast<uint64_t>(problem.num_nodes())));
  const bool resize = random->Chance(0.2);
  const int options = resize ? static_cast<int>(random->Integer(1, settings.max_options))
                             : problem.num_options(node);
  solver->SetNodeCosts(node, RandomCosts(settings, options, random));
  for (int e = 0; e < problem.num_edges(); ++e) {
    const int u = problem.edge(e).u, v = problem.edge(e).v;
    if (u != node && v != node) continue;
    if (!resize && random->Chance(0.7)) continue;
    solver->SetEdgeCosts(
        e, RandomMatrix(settings, problem.num_options(u), problem.num_options(v), random));
  }
}

TEST(PbqpSolverTest, IncrementalEqualsFromScratchToTheBit) {
  Random random(14);
  for (int trial = 0; trial < 300; ++trial) {
    RandomPbqpSettings settings = RandomSettings(&random);
    settings.max_nodes = 14;
    PbqpSolver solver(RandomPbqp(settings, &random));
    if (solver.problem().num_nodes() == 0) continue;
    for (int edit = 0; edit < 20; ++edit) {
      const PbqpSolution incremental = solver.Solve();
      const PbqpSolution scratch = SolvePbqp(solver.problem());
      ASSERT_EQ(incremental.feasible, scratch.feasible);
      ASSERT_EQ(incremental.exact, scratch.exact);
      ASSERT_EQ(incremental.cost, scratch.cost);
      ASSERT_EQ(incremental.choice, scratch.choice);
      ASSERT_EQ(incremental.counts.core_nodes, scratch.counts.core_nodes);
      ASSERT_LE(incremental.counts.recomputed, scratch.counts.recomputed);
      const int edits = static_cast<int>(random.Integer(0, 3));
      for (int i = 0; i < edits; ++i) Edit(settings, &random, &solver);
    }
  }
}

TEST(PbqpSolverTest, AChangeRecomputesOnlyItsWayToTheRoot) {
  Random random(15);
  RandomPbqpSettings settings;
  PbqpProblem problem;
  for (int i = 0; i < 101; ++i) problem.AddNode(RandomCosts(settings, 4, &random));
  for (int i = 0; i < 100; ++i) {
    problem.AddEdge(i, i + 1, RandomMatrix(settings, 4, 4, &random));
  }
  PbqpSolver solver(problem);
  EXPECT_EQ(solver.Solve().counts.recomputed, 101);
  EXPECT_EQ(solver.Solve().counts.recomputed, 0);
  solver.SetNodeCosts(50, {1, 2, 3, 4});
  EXPECT_LE(solver.Solve().counts.recomputed, 2) << "the middle is the root of a chain";
  solver.SetNodeCosts(0, problem.node_costs(0));
  EXPECT_EQ(solver.Solve().counts.recomputed, 1) << "nothing changed after all";
  solver.SetNodeCosts(0, {0, 1, 2, -3});
  const int recomputed = solver.Solve().counts.recomputed;
  EXPECT_GT(recomputed, 1);
  EXPECT_LE(recomputed, 52);
}

TEST(PbqpSolverTest, TopEqualsBruteForce) {
  Random random(16);
  int with_core = 0;
  for (int trial = 0; trial < 4000; ++trial) {
    RandomPbqpSettings settings = RandomSettings(&random);
    settings.max_nodes = 7;
    if (trial % 2 == 0) settings.shape = PbqpShape::kDense;
    settings.max_options = 3;
    PbqpSolver solver(RandomPbqp(settings, &random));
    const auto all = AllAssignments(solver.problem());
    const int count = static_cast<int>(random.Integer(1, 6));
    const std::vector<PbqpSolution> top = solver.SolveTop(count);
    ASSERT_EQ(top.size(), std::min(all.size(), static_cast<size_t>(count))) << trial;
    std::set<std::vector<int>> distinct;
    for (size_t i = 0; i < top.size(); ++i) {
      with_core += top[i].counts.core_nodes > 0;
      EXPECT_TRUE(top[i].feasible && top[i].exact);
      EXPECT_EQ(solver.problem().Evaluate(top[i].choice), top[i].cost);
      ASSERT_NEAR(top[i].cost, all[i].first, kTolerance) << trial;
      distinct.insert(top[i].choice);
    }
    EXPECT_EQ(distinct.size(), top.size());
    if (!top.empty()) {
      EXPECT_EQ(top[0].choice, solver.Solve().choice);
    }
  }
  EXPECT_GT(with_core, 200);
}

TEST(PbqpSolverTest, TopWithoutBudgetIsDistinctAndOrdered) {
  Random random(17);
  int inexact = 0;
  for (int trial = 0; trial < 1500; ++trial) {
    RandomPbqpSettings settings = RandomSettings(&random);
    settings.shape = PbqpShape::kDense;
    PbqpSolver solver(RandomPbqp(settings, &random), {.core_budget = 0});
    const auto all = AllAssignments(solver.problem());
    const std::vector<PbqpSolution> top = solver.SolveTop(3);
    std::set<std::vector<int>> distinct;
    for (size_t i = 0; i < top.size(); ++i) {
      inexact += !top[i].exact;
      distinct.insert(top[i].choice);
      EXPECT_EQ(solver.problem().Evaluate(top[i].choice), top[i].cost);
      EXPECT_LT(top[i].cost, kForbidden);
      EXPECT_GE(top[i].cost, all[i].first - kTolerance);
      if (i > 0) {
        EXPECT_GE(top[i].cost, top[i - 1].cost - kTolerance);
      }
      if (top[i].exact) {
        EXPECT_NEAR(top[i].cost, all[i].first, kTolerance);
      }
    }
    EXPECT_EQ(distinct.size(), top.size());
  }
  EXPECT_GT(inexact, 50);
}

TEST(PbqpSolverTest, LargerCoresAreProvenWithinTheBudget) {
  // Beyond brute force: checked against the bound by giving far more budget than is needed.
  Random random(18);
  for (int trial = 0; trial < 20; ++trial) {
    RandomPbqpSettings settings;
    settings.shape = PbqpShape::kSparse;
    PbqpProblem problem;
    for (int i = 0; i < 14; ++i) problem.AddNode(RandomCosts(settings, 6, &random));
    for (const auto& [u, v] : RandomLinks(PbqpShape::kSparse, 14, &random)) {
      problem.AddEdge(u, v, RandomMatrix(settings, 6, 6, &random));
    }
    const PbqpSolution solution = SolvePbqp(problem, {.core_budget = 2'000'000'000});
    EXPECT_TRUE(solution.exact);
    const PbqpSolution quick = SolvePbqp(problem, {.core_budget = 100'000});
    EXPECT_GE(quick.cost, solution.cost - kTolerance);
    EXPECT_LE(quick.lower_bound, solution.cost + kTolerance);
  }
}

TEST(PbqpSolverTest, LongChainsDoNotExhaustTheStack) {
  Random random(19);
  RandomPbqpSettings settings;
  PbqpProblem problem;
  const int n = 50000;
  for (int i = 0; i < n; ++i) problem.AddNode(RandomCosts(settings, 2, &random));
  for (int i = 1; i < n; ++i) problem.AddEdge(i - 1, i, RandomMatrix(settings, 2, 2, &random));
  PbqpSolver solver(std::move(problem));
  const std::vector<PbqpSolution> top = solver.SolveTop(3);
  ASSERT_EQ(top.size(), 3u);
  EXPECT_TRUE(top[0].exact);
  EXPECT_LE(top[0].cost, top[1].cost);
  EXPECT_LE(top[1].cost, top[2].cost);
}

}  // namespace
}  // namespace fettle
