#include "fettle/search/hypervolume.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fettle/core/random.h"

namespace fettle {
namespace {

TEST(HypervolumeTest, HandComputedInOneAndTwoDimensions) {
  EXPECT_DOUBLE_EQ(Hypervolume({{3}, {1}, {2}}, {5}), 4);
  EXPECT_DOUBLE_EQ(Hypervolume({{1, 1}}, {3, 4}), 6);
  // Columns of the staircase: 1 x 1 + 1 x 3 + 1 x 4.
  EXPECT_DOUBLE_EQ(Hypervolume({{1, 4}, {2, 2}, {3, 1}}, {4, 5}), 8);
  EXPECT_DOUBLE_EQ(Hypervolume({{3, 1}, {1, 4}, {2, 2}, {2, 2}, {3, 3}}, {4, 5}), 8)
      << "order, duplicates and dominated points do not matter";
}

TEST(HypervolumeTest, HandComputedInThreeDimensions) {
  EXPECT_DOUBLE_EQ(Hypervolume({{0, 0, 0}}, {2, 3, 4}), 24);
  // Two boxes, 1 x 2 x 2 and 2 x 2 x 1, sharing 1 x 2 x 1.
  EXPECT_DOUBLE_EQ(Hypervolume({{1, 0, 0}, {0, 0, 1}}, {2, 2, 2}), 4 + 4 - 2);
  // Three slabs 2 x 2 x 1 of the cube of side 2: all but the corner unit cube away from the origin.
  EXPECT_DOUBLE_EQ(Hypervolume({{1, 0, 0}, {0, 1, 0}, {0, 0, 1}}, {2, 2, 2}), 7);
}

TEST(HypervolumeTest, HandComputedInFourAndFiveDimensions) {
  EXPECT_DOUBLE_EQ(Hypervolume({{1, 1, 1, 1}}, {2, 3, 4, 5}), 24);
  // 2^d - 1: slabs leave out the corner unit cube only.
  EXPECT_DOUBLE_EQ(
      Hypervolume({{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}, {0, 0, 0, 1}}, {2, 2, 2, 2}), 15);
  EXPECT_DOUBLE_EQ(
      Hypervolume(
          {{1, 0, 0, 0, 0}, {0, 1, 0, 0, 0}, {0, 0, 1, 0, 0}, {0, 0, 0, 1, 0}, {0, 0, 0, 0, 1}},
          {2, 2, 2, 2, 2}),
      31);
}

TEST(HypervolumeTest, PointsBeyondTheReferenceAddNothing) {
  const double infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(Hypervolume({}, {1, 1}), 0);
  EXPECT_EQ(Hypervolume({{1, 0}, {0, 1}, {2, -5}, {infinity, 0}}, {1, 1}), 0);
  EXPECT_DOUBLE_EQ(Hypervolume({{1, 0}, {0.5, 0.5}}, {1, 1}), 0.25);
}

// Counts the unit cells of the grid that some point dominates.
double CellCount(const std::vector<Objectives>& points, size_t m, int side) {
  int64_t cells = 1;
  for (size_t i = 0; i < m; ++i) cells *= side;
  double count = 0;
  for (int64_t cell = 0; cell < cells; ++cell) {
    for (const Objectives& point : points) {
      int64_t rest = cell;
      bool inside = true;
      for (size_t i = 0; i < m; ++i, rest /= side) {
        inside = inside && point[i] <= static_cast<double>(rest % side);
      }
      if (inside) {
        ++count;
        break;
      }
    }
  }
  return count;
}

TEST(HypervolumeTest, EqualsTheCellCountOnRandomGrids) {
  Random random(1);
  for (int trial = 0; trial < 800; ++trial) {
    const size_t m = static_cast<size_t>(random.Integer(1, 5));
    const int side = m >= 5 ? 4 : 6;
    std::vector<Objectives> points(static_cast<size_t>(random.Integer(0, 15)), Objectives(m));
    for (Objectives& point : points) {
      for (double& x : point) x = static_cast<double>(random.Integer(0, side));
    }
    const Objectives reference(m, side);
    EXPECT_DOUBLE_EQ(Hypervolume(points, reference), CellCount(points, m, side));
  }
}

TEST(HypervolumeTest, AnExtraObjectiveThatNeverVariesScales) {
  Random random(2);
  for (int trial = 0; trial < 100; ++trial) {
    std::vector<Objectives> flat, raised;
    for (int i = 0; i < 30; ++i) {
      flat.push_back({random.Uniform(), random.Uniform(), random.Uniform()});
      raised.push_back(flat.back());
      raised.back().push_back(0.25);
    }
    EXPECT_NEAR(Hypervolume(raised, {1, 1, 1, 1}), 0.75 * Hypervolume(flat, {1, 1, 1}), 1e-12);
  }
}

}  // namespace
}  // namespace fettle
