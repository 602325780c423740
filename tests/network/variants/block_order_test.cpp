#include "fettle/network/variants/block_order.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <numeric>

#include "fettle/core/random.h"

namespace fettle {
namespace {

// Of so many units of `width` channels each, one axis or both; channel c of unit u is u + c *
// units, as a shuffle leaves them.
MovableUnits Units(int64_t units, int64_t inputs, int64_t outputs) {
  MovableUnits set;
  for (int64_t u = 0; u < units; ++u) {
    set.inputs.emplace_back();
    set.outputs.emplace_back();
    for (int64_t c = 0; c < inputs; ++c) set.inputs.back().push_back(u + c * units);
    for (int64_t c = 0; c < outputs; ++c) set.outputs.back().push_back(u + c * units);
  }
  return set;
}

Matrix RandomEnergy(size_t rows, size_t columns, uint64_t seed) {
  Random random(seed);
  Matrix energy(rows, columns);
  for (double& value : energy.values()) value = random.Uniform() * random.Uniform();
  return energy;
}

double KeptBy(const BlockProblem& problem, const std::vector<std::vector<int64_t>>& orders) {
  const Matrix& energy = problem.energy;
  std::vector<size_t> inputs(energy.columns()), outputs(energy.rows());  // what stands at a place
  std::iota(inputs.begin(), inputs.end(), 0);
  std::iota(outputs.begin(), outputs.end(), 0);
  for (size_t m = 0; m < orders.size(); ++m) {
    const MovableUnits& set = problem.movable[m];
    for (size_t p = 0; p < orders[m].size(); ++p) {
      const auto unit = static_cast<size_t>(orders[m][p]);
      for (size_t i = 0; i < set.inputs[p].size(); ++i) {
        inputs[static_cast<size_t>(set.inputs[p][i])] = static_cast<size_t>(set.inputs[unit][i]);
      }
      for (size_t i = 0; i < set.outputs[p].size(); ++i) {
        outputs[static_cast<size_t>(set.outputs[p][i])] = static_cast<size_t>(set.outputs[unit][i]);
      }
    }
  }
  const auto blocks = static_cast<size_t>(problem.blocks);
  double kept = 0;
  for (size_t t = 0; t < outputs.size(); ++t) {
    for (size_t s = 0; s < inputs.size(); ++s) {
      if (t / (outputs.size() / blocks) == s / (inputs.size() / blocks)) {
        kept += energy(outputs[t], inputs[s]);
      }
    }
  }
  return kept;
}

TEST(BlockOrderTest, HiddenBlocksAreFound) {
  for (const int64_t blocks : {2, 4, 8}) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      Random random(seed);
      const size_t outputs = 48, inputs = 32, n = static_cast<size_t>(blocks);
      const Matrix full = RandomEnergy(outputs, inputs, seed);
      const std::vector<size_t> of_t = random.Permutation(outputs),
                                of_s = random.Permutation(inputs);
      Matrix energy(outputs, inputs);
      double whole = 0;
      for (size_t t = 0; t < outputs; ++t) {
        for (size_t s = 0; s < inputs; ++s) {
          if (t / (outputs / n) != s / (inputs / n)) continue;
          energy(of_t[t], of_s[s]) = full(t, s);
          whole += full(t, s);
        }
      }
      const BlockProblem problem = {energy, blocks, {Units(32, 1, 0), Units(48, 0, 1)}};
      const BlockOrder found = FindBlockOrder(problem);
      EXPECT_NEAR(found.kept, whole, 1e-9 * whole) << blocks << " " << seed;
      EXPECT_NEAR(KeptBy(problem, found.orders), whole, 1e-9 * whole);
    }
  }
}

// Apart, coupled, several channels a unit, only one axis, only some of it.
std::vector<std::vector<MovableUnits>> Sets() {
  MovableUnits some = Units(16, 1, 0);
  some.inputs.resize(10);
  some.outputs.resize(10);
  return {{Units(16, 1, 0), Units(16, 0, 1)},
          {Units(16, 1, 1)},
          {Units(8, 2, 0), Units(16, 0, 1)},
          {Units(4, 4, 4)},
          {Units(16, 1, 0)},
          {Units(16, 0, 1)},
          {some, Units(8, 0, 2)},
          {}};
}

TEST(BlockOrderTest, IsTrueToItsWordAndNoSwapIsBetter) {
  for (const auto& sets : Sets()) {
    for (uint64_t seed = 0; seed < 5; ++seed) {
      const BlockProblem problem = {RandomEnergy(16, 16, seed), 4, sets};
      const BlockOrder found = FindBlockOrder(problem);
      ASSERT_EQ(found.orders.size(), sets.size());
      EXPECT_NEAR(found.kept, KeptBy(problem, found.orders), 1e-9);
      std::vector<std::vector<int64_t>> orders = found.orders;
      for (size_t m = 0; m < sets.size(); ++m) {
        std::vector<int64_t> sorted = orders[m];
        std::ranges::sort(sorted);
        for (size_t p = 0; p < sorted.size(); ++p) EXPECT_EQ(sorted[p], static_cast<int64_t>(p));
        for (size_t p = 0; p < orders[m].size(); ++p) {
          for (size_t q = 0; q < p; ++q) {
            std::swap(orders[m][p], orders[m][q]);
            EXPECT_LE(KeptBy(problem, orders), found.kept + 1e-9);
            std::swap(orders[m][p], orders[m][q]);
          }
        }
      }
      std::vector<std::vector<int64_t>> as_given = found.orders;
      for (auto& order : as_given) std::iota(order.begin(), order.end(), 0);
      EXPECT_GE(found.kept, KeptBy(problem, as_given) - 1e-12);
      EXPECT_EQ(FindBlockOrder(problem).orders, found.orders);
    }
  }
}

// Of 8 units in two blocks there are few enough orders to try them all.
TEST(BlockOrderTest, IsTheBestOfAllForSmallProblems) {
  int best_found = 0;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const BlockProblem problem = {RandomEnergy(8, 8, seed), 2, {Units(8, 1, 0), Units(8, 0, 1)}};
    double best = 0;
    std::vector<std::vector<int64_t>> orders(2, std::vector<int64_t>(8));
    for (int inputs = 0; inputs < 256; ++inputs) {
      for (int outputs = 0; outputs < 256; ++outputs) {
        if (__builtin_popcount(inputs) != 4 || __builtin_popcount(outputs) != 4) continue;
        double kept = 0;
        for (int t = 0; t < 8; ++t) {
          for (int s = 0; s < 8; ++s) {
            if ((inputs >> s & 1) == (outputs >> t & 1)) {
              kept += problem.energy(static_cast<size_t>(t), static_cast<size_t>(s));
            }
          }
        }
        best = std::max(best, kept);
      }
    }
    const double found = FindBlockOrder(problem).kept;
    EXPECT_GE(found, 0.95 * best) << seed;
    if (found > best - 1e-9) ++best_found;
  }
  EXPECT_GE(best_found, 16);
}

TEST(BlockOrderTest, EmptyAndEqualEnergiesAreNoTrouble) {
  for (const double value : {0.0, 1.0}) {
    Matrix energy(8, 8);
    for (double& entry : energy.values()) entry = value;
    const BlockProblem problem = {energy, 4, {Units(8, 1, 0), Units(8, 0, 1)}};
    EXPECT_EQ(FindBlockOrder(problem).kept, 16 * value);
  }
}

}  // namespace
}  // namespace fettle
