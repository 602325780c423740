#include "fettle/search/rank_correlation.h"

#include <gtest/gtest.h>

#include <cmath>

#include "fettle/core/random.h"

namespace fettle {
namespace {

// The definition, O(n^2).
std::optional<double> KendallByPairs(const std::vector<double>& x, const std::vector<double>& y) {
  double difference = 0, untied_x = 0, untied_y = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      const int dx = (x[i] > x[j]) - (x[i] < x[j]);
      const int dy = (y[i] > y[j]) - (y[i] < y[j]);
      difference += dx * dy;
      untied_x += dx != 0;
      untied_y += dy != 0;
    }
  }
  if (untied_x == 0 || untied_y == 0) return std::nullopt;
  return difference / std::sqrt(untied_x * untied_y);
}

TEST(KendallTauTest, HandComputed) {
  EXPECT_DOUBLE_EQ(KendallTau({1, 2, 3, 4}, {1, 2, 3, 4}).value(), 1);
  EXPECT_DOUBLE_EQ(KendallTau({1, 2, 3, 4}, {8, 6, 4, 2}).value(), -1);
  // Of six pairs one is discordant.
  EXPECT_DOUBLE_EQ(KendallTau({1, 2, 3, 4}, {1, 3, 2, 4}).value(), 4.0 / 6);
  // Pairs: 4 concordant, 0 discordant, 1 tied in x only, 1 tied in y only.
  EXPECT_DOUBLE_EQ(KendallTau({1, 1, 2, 3}, {1, 2, 3, 3}).value(), 4.0 / 5);
  // 12 2 1 12 2 against 1 4 7 1 0: a widely published example, -0.4714.
  EXPECT_NEAR(KendallTau({12, 2, 1, 12, 2}, {1, 4, 7, 1, 0}).value(), -0.4714045207910316, 1e-15);
}

TEST(KendallTauTest, UndefinedCases) {
  EXPECT_EQ(KendallTau({}, {}), std::nullopt);
  EXPECT_EQ(KendallTau({1}, {1}), std::nullopt);
  EXPECT_EQ(KendallTau({1, 1, 1}, {1, 2, 3}), std::nullopt);
  EXPECT_EQ(KendallTau({1, 2, 3}, {5, 5, 5}), std::nullopt);
}

TEST(KendallTauTest, EqualsTheDefinitionOnRandomData) {
  Random random(1);
  for (int trial = 0; trial < 2000; ++trial) {
    const int n = static_cast<int>(random.Integer(0, 40));
    const int levels = static_cast<int>(random.Integer(1, 50));
    std::vector<double> x, y;
    for (int i = 0; i < n; ++i) {
      x.push_back(static_cast<double>(random.Integer(0, levels)));
      y.push_back(static_cast<double>(random.Integer(0, levels)) + (i % 2 ? x.back() : 0));
    }
    const std::optional<double> fast = KendallTau(x, y), slow = KendallByPairs(x, y);
    ASSERT_EQ(fast.has_value(), slow.has_value());
    if (!slow.has_value()) continue;
    EXPECT_NEAR(*fast, *slow, 1e-14);
  }
}

TEST(SpearmanRhoTest, HandComputed) {
  EXPECT_DOUBLE_EQ(SpearmanRho({1, 2, 3}, {10, 200, 3000}).value(), 1);
  EXPECT_DOUBLE_EQ(SpearmanRho({1, 2, 3}, {3, 2, 1}).value(), -1);
  // 1 - 6 sum d^2 / (n (n^2 - 1)) with d = 0, 1, 1, 0.
  EXPECT_DOUBLE_EQ(SpearmanRho({1, 2, 3, 4}, {1, 3, 2, 4}).value(), 0.8);
  // Ranks 1.5 1.5 3 4 and 1 2 3.5 3.5: 4 / sqrt(4.5 * 4.5).
  EXPECT_NEAR(SpearmanRho({1, 1, 2, 3}, {1, 2, 3, 3}).value(), 4 / 4.5, 1e-15);
  EXPECT_EQ(SpearmanRho({2}, {2}), std::nullopt);
  EXPECT_EQ(SpearmanRho({2, 2}, {1, 2}), std::nullopt);
}

TEST(MeanRanksTest, TiesShareTheirMean) {
  EXPECT_EQ(MeanRanks({30, 10, 20, 10}), (std::vector<double>{4, 1.5, 3, 1.5}));
  EXPECT_TRUE(MeanRanks({}).empty());
}

}  // namespace
}  // namespace fettle
