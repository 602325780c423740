#include "fettle/search/pareto_front.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>

#include "fettle/core/random.h"

namespace fettle {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::vector<Objectives> RandomPoints(Random* random, size_t n, size_t m, int levels) {
  std::vector<Objectives> points(n, Objectives(m));
  for (Objectives& point : points) {
    for (double& x : point) x = static_cast<double>(random->Integer(0, levels - 1));
  }
  return points;
}

TEST(DominanceTest, NeedsOneBetterAndNoneWorse) {
  EXPECT_TRUE(Dominates({1, 2}, {1, 3}));
  EXPECT_TRUE(Dominates({0, 0}, {1, 1}));
  EXPECT_FALSE(Dominates({1, 2}, {1, 2}));
  EXPECT_FALSE(Dominates({0, 3}, {1, 2}));
  EXPECT_TRUE(Dominates({1, 2}, {1, kInfinity}));
  EXPECT_FALSE(Dominates({1, kInfinity}, {1, kInfinity}));
}

TEST(ParetoFrontTest, KeepsTheNonDominatedInOrder) {
  ParetoFront front(2);
  EXPECT_TRUE(front.Add({3, 3}, 1));
  EXPECT_TRUE(front.Add({1, 5}, 2));
  EXPECT_FALSE(front.Add({4, 3}, 3));
  EXPECT_TRUE(front.Add({5, 1}, 4));
  EXPECT_FALSE(front.Add({1, 5}, 5)) << "a duplicate: the first stays";
  EXPECT_FALSE(front.WouldEnter({3, 3}));
  EXPECT_TRUE(front.WouldEnter({2, 4}));
  EXPECT_EQ(front.points(), (std::vector<ParetoPoint>{{{1, 5}, 2}, {{3, 3}, 1}, {{5, 1}, 4}}));
  EXPECT_TRUE(front.Add({1, 1}, 6));
  EXPECT_EQ(front.points(), (std::vector<ParetoPoint>{{{1, 1}, 6}}));
}

TEST(ParetoFrontTest, AgreesWithTheDefinitionOnRandomPoints) {
  Random random(1);
  for (int trial = 0; trial < 300; ++trial) {
    const size_t m = static_cast<size_t>(random.Integer(1, 4));
    const std::vector<Objectives> points = RandomPoints(&random, 40, m, 6);
    ParetoFront front(m);
    for (size_t i = 0; i < points.size(); ++i) front.Add(points[i], i);
    std::vector<Objectives> expected;
    for (const Objectives& p : points) {
      const bool dominated = std::any_of(points.begin(), points.end(),
                                         [&](const Objectives& q) { return Dominates(q, p); });
      if (!dominated) expected.push_back(p);
    }
    std::sort(expected.begin(), expected.end());
    expected.erase(std::unique(expected.begin(), expected.end()), expected.end());
    ASSERT_EQ(front.points().size(), expected.size());
    for (size_t i = 0; i < expected.size(); ++i) {
      EXPECT_EQ(front.points()[i].objectives, expected[i]);
      EXPECT_EQ(points[front.points()[i].payload], expected[i]);
    }
  }
}

TEST(NonDominatedSortTest, SplitsIntoLayers) {
  const std::vector<Objectives> points = {{1, 4}, {2, 5}, {2, 2}, {4, 1}, {3, 3}, {5, 5}, {2, 2}};
  EXPECT_EQ(NonDominatedSort(points),
            (std::vector<std::vector<size_t>>{{0, 2, 3, 6}, {1, 4}, {5}}));
  EXPECT_TRUE(NonDominatedSort({}).empty());
}

TEST(NonDominatedSortTest, PeelsFrontAfterFront) {
  Random random(2);
  for (int trial = 0; trial < 200; ++trial) {
    const size_t m = static_cast<size_t>(random.Integer(1, 4));
    const std::vector<Objectives> points = RandomPoints(&random, 30, m, 5);
    std::vector<size_t> rest(points.size());
    for (size_t i = 0; i < rest.size(); ++i) rest[i] = i;
    for (const std::vector<size_t>& front : NonDominatedSort(points)) {
      std::vector<size_t> expected, others;
      for (size_t i : rest) {
        const bool dominated = std::any_of(
            rest.begin(), rest.end(), [&](size_t j) { return Dominates(points[j], points[i]); });
        (dominated ? others : expected).push_back(i);
      }
      ASSERT_EQ(front, expected);
      rest = others;
    }
    EXPECT_TRUE(rest.empty());
  }
}

TEST(CrowdingDistanceTest, HandComputed) {
  const std::vector<Objectives> points = {{0, 10}, {9, 9}, {2, 6}, {4, 4}, {10, 0}};
  const std::vector<double> distance = CrowdingDistance(points, {0, 2, 3, 4});
  ASSERT_EQ(distance.size(), 4u);
  EXPECT_EQ(distance[0], kInfinity);
  EXPECT_EQ(distance[3], kInfinity);
  EXPECT_DOUBLE_EQ(distance[1], 4.0 / 10 + 6.0 / 10);
  EXPECT_DOUBLE_EQ(distance[2], 8.0 / 10 + 6.0 / 10);
}

TEST(CrowdingDistanceTest, ConstantAndInfiniteObjectivesAddNothing) {
  const std::vector<Objectives> points = {{0, 7, kInfinity}, {1, 7, 1}, {2, 7, 2}};
  const std::vector<double> distance = CrowdingDistance(points, {0, 1, 2});
  EXPECT_EQ(distance[0], kInfinity);
  EXPECT_DOUBLE_EQ(distance[1], 1);
  EXPECT_EQ(distance[2], kInfinity);
  EXPECT_EQ(CrowdingDistance({{1, 1}}, {0}), (std::vector<double>{0}));
  EXPECT_TRUE(CrowdingDistance({}, {}).empty());
}

TEST(KneePointTest, IsFarthestBelowTheLineThroughTheEnds) {
  EXPECT_EQ(KneePoint({{0, 100}, {1, 20}, {5, 15}, {10, 0}}), 1u);
  EXPECT_EQ(KneePoint({{0, 1}, {1, 0}}), 0u) << "a tie goes to the first";
  EXPECT_EQ(KneePoint({{3, 3}}), 0u);
  EXPECT_EQ(KneePoint({{0, kInfinity}, {4, 4}, {2, 5}}), 1u);
  EXPECT_EQ(KneePoint({}), std::nullopt);
  EXPECT_EQ(KneePoint({{0, kInfinity}}), std::nullopt);
}

}  // namespace
}  // namespace fettle
