#include "fettle/search/pbqp_reduction.h"

#include <gtest/gtest.h>

#include "fettle/core/random.h"
#include "fettle/search/pbqp_plan.h"
#include "tests/search/random_pbqp.h"

namespace fettle {
namespace {

TEST(PbqpReductionTest, HandComputed) {
  const PbqpMatrix to_a(2, 3, {1, 5, kForbidden, 4, 0, kForbidden});
  std::vector<double> vector;
  ReduceToVector({10, 12}, to_a, &vector);
  EXPECT_EQ(vector, (std::vector<double>{11, 12, kForbidden}));
  ReduceToVector({kForbidden, kForbidden}, to_a, &vector);
  EXPECT_EQ(vector, (std::vector<double>(3, kForbidden)));

  const PbqpMatrix to_b(2, 2, {0, 9, 1, kForbidden});
  PbqpMatrix matrix;
  ReduceToMatrix({10, 12}, to_a, to_b, &matrix);
  EXPECT_EQ(matrix, PbqpMatrix(3, 2, {11, 20, 13, 24, kForbidden, kForbidden}));
  EXPECT_EQ(BestOption({10, 12}, {{&to_a, 1}, {&to_b, 0}}), 1);
  EXPECT_EQ(BestOption({10, 12}, {{&to_a, 1}, {&to_b, 1}}), 0);
  EXPECT_EQ(BestOption({10, 12}, {{&to_a, 2}}), -1);
  EXPECT_EQ(BestOption({3, 2, 2}, {}), 1) << "the first of equals";
}

TEST(PbqpReductionTest, SeparatesSums) {
  const Separation parts = Separate(PbqpMatrix(2, 3, {1, 2, 4, 11, 12, 14}), 0);
  ASSERT_TRUE(parts.separable);
  EXPECT_EQ(parts.row, (std::vector<double>{1, 11}));
  EXPECT_EQ(parts.col, (std::vector<double>{0, 1, 3}));
  EXPECT_FALSE(Separate(PbqpMatrix(2, 2, {0, 1, 1, 0}), 1e-9).separable);
  EXPECT_TRUE(Separate(PbqpMatrix(2, 2, {0, 1, 1, 2 + 1e-12}), 1e-11).separable);
  EXPECT_FALSE(Separate(PbqpMatrix(2, 2, {0, 1, 1, 2 + 1e-12}), 1e-13).separable);
  EXPECT_TRUE(Separate(PbqpMatrix(1, 3, {5, kForbidden, -2}), 0).separable);
}

TEST(PbqpReductionTest, ForbiddenRowsAndColumnsSeparateButSingleEntriesDoNot) {
  const double x = kForbidden;
  const Separation parts = Separate(PbqpMatrix(3, 3, {1, x, 2, x, x, x, 4, x, 5}), 0);
  ASSERT_TRUE(parts.separable);
  EXPECT_EQ(parts.row, (std::vector<double>{1, x, 4}));
  EXPECT_EQ(parts.col, (std::vector<double>{0, x, 1}));
  EXPECT_FALSE(Separate(PbqpMatrix(2, 2, {0, 0, 0, x}), 0).separable);
  EXPECT_FALSE(Separate(PbqpMatrix(2, 2, {0, x, x, 0}), 0).separable);
  EXPECT_TRUE(Separate(PbqpMatrix(2, 2, x), 0).separable);
  EXPECT_TRUE(Separate(PbqpMatrix(0, 2), 0).separable);
  EXPECT_TRUE(Separate(PbqpMatrix(2, 0), 0).separable);
}

TEST(PbqpReductionTest, SeparationAddsUpToTheMatrix) {
  Random random(31);
  int separable = 0;
  for (int trial = 0; trial < 3000; ++trial) {
    RandomPbqpSettings settings;
    settings.separable = 0.7;
    settings.forbidden = random.Chance(0.5) ? 0.3 : 0;
    const PbqpMatrix matrix = RandomMatrix(settings, static_cast<int>(random.Integer(1, 5)),
                                           static_cast<int>(random.Integer(1, 5)), &random);
    const Separation parts = Separate(matrix, RoundingTolerance(matrix));
    if (!parts.separable) continue;
    ++separable;
    for (int i = 0; i < matrix.rows(); ++i) {
      for (int j = 0; j < matrix.cols(); ++j) {
        const double sum = parts.row[i] + parts.col[j];
        if (matrix.At(i, j) == kForbidden) {
          ASSERT_EQ(sum, kForbidden);
        } else {
          ASSERT_NEAR(sum, matrix.At(i, j), 1e-12);
        }
      }
    }
  }
  EXPECT_GT(separable, 2000);
}

TEST(PbqpPlanTest, EveryNodeIsReducedOnceOrInTheCore) {
  Random random(32);
  for (int trial = 0; trial < 500; ++trial) {
    const int n = static_cast<int>(random.Integer(0, 20));
    const PbqpPlan plan = PlanReductions(n, RandomLinks(kPbqpShapes[random.Below(5)], n, &random));
    std::vector<int> seen(static_cast<size_t>(n));
    for (const PbqpPlan::Step& step : plan.steps) ++seen[step.node];
    for (const PbqpPlan::Component& core : plan.core) {
      EXPECT_GE(core.nodes.size(), 4u) << "less cannot have three neighbours each";
      for (int node : core.nodes) ++seen[node];
    }
    EXPECT_EQ(seen, std::vector<int>(static_cast<size_t>(n), 1));
    // Results are used later than they are made, by a step that fits.
    for (int s = 0; s < static_cast<int>(plan.steps.size()); ++s) {
      const PbqpPlan::Step& step = plan.steps[s];
      for (int i = 0; i < step.degree; ++i) {
        EXPECT_EQ(plan.slots[step.slots[i]].first, step.node);
        EXPECT_EQ(plan.slots[step.slots[i]].second, step.neighbours[i]);
        const int later = plan.step_of_node[step.neighbours[i]];
        EXPECT_TRUE(later < 0 || later > s);
      }
      if (step.degree < 2) continue;
      EXPECT_EQ(plan.slots[step.target_slot].first, step.neighbours[0]);
      EXPECT_EQ(plan.slots[step.target_slot].second, step.neighbours[1]);
    }
  }
}

TEST(PbqpPlanTest, ForestsAreLow) {
  std::vector<std::pair<int, int>> chain, cycle;
  for (int i = 0; i + 1 < 101; ++i) chain.emplace_back(i, i + 1);
  EXPECT_EQ(PlanReductions(101, chain).depth, 51) << "peeled from both ends";
  cycle = chain;
  cycle.emplace_back(100, 0);
  EXPECT_LE(PlanReductions(101, cycle).depth, 12) << "halved again and again";
}

}  // namespace
}  // namespace fettle
