#include "fettle/core/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

namespace fettle {
namespace {

TEST(RandomTest, StateIsFilledBySplitMix64) {
  // Published outputs of SplitMix64 for the seed 1234567.
  EXPECT_EQ(Random(1234567).Save(),
            "12d687 599ed017fb08fc85 2c73f08458540fa5 883ebce5a3f27c77 3fbef740e9177b3f");
}

TEST(RandomTest, ReproducesTheReferenceSequence) {
  // The authors' reference implementation from the state {1, 2, 3, 4}.
  std::optional<Random> random = Random::Restore("0 1 2 3 4");
  ASSERT_TRUE(random.has_value());
  const uint64_t expected[] = {11520u,
                               0u,
                               1509978240u,
                               1215971899390074240u,
                               1216172134540287360u,
                               607988272756665600u,
                               16172922978634559625u,
                               8476171486693032832u,
                               10595114339597558777u,
                               2904607092377533576u};
  for (uint64_t value : expected) EXPECT_EQ(random->Next(), value);
}

TEST(RandomTest, ForkDependsOnSeedAndLabelOnly) {
  Random a(7);
  const Random before = a.Fork("mutation");
  for (int i = 0; i < 10; ++i) a.Next();
  EXPECT_EQ(a.Fork("mutation"), before);
  EXPECT_NE(a.Fork("crossover").seed(), before.seed());
  EXPECT_NE(a.Fork(uint64_t{0}).seed(), a.Fork(uint64_t{1}).seed());
  EXPECT_NE(Random(8).Fork("mutation").seed(), before.seed());
  EXPECT_NE(a.Fork("").seed(), a.seed());
}

TEST(RandomTest, ManyForksHaveDifferentSeeds) {
  std::set<uint64_t> seeds;
  const Random root(0);
  for (uint64_t i = 0; i < 2000; ++i) {
    seeds.insert(root.Fork(i).seed());
    seeds.insert(root.Fork(std::to_string(i)).seed());
  }
  EXPECT_EQ(seeds.size(), 4000u);
}

TEST(RandomTest, UniformStaysInRangeAndHasTheRightMoments) {
  Random random(1);
  double sum = 0, squares = 0;
  const int n = 100000;
  for (int i = 0; i < n; ++i) {
    const double u = random.Uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    sum += u;
    squares += u * u;
  }
  EXPECT_NEAR(sum / n, 0.5, 0.005);
  EXPECT_NEAR(squares / n, 1.0 / 3, 0.005);
  for (int i = 0; i < 1000; ++i) {
    const double x = random.Uniform(-3, 5);
    EXPECT_TRUE(x >= -3 && x <= 5);
  }
  EXPECT_EQ(random.Uniform(2, 2), 2);
}

TEST(RandomTest, IntegersCoverTheirRangeEvenly) {
  Random random(2);
  std::vector<int> counts(7);
  for (int i = 0; i < 70000; ++i) ++counts[static_cast<size_t>(random.Integer(-3, 3) + 3)];
  for (int count : counts) EXPECT_NEAR(count, 10000, 500);
  EXPECT_EQ(random.Integer(5, 5), 5);
  EXPECT_EQ(random.Below(1), 0u);
  const int64_t low = std::numeric_limits<int64_t>::min();
  const int64_t high = std::numeric_limits<int64_t>::max();
  bool negative = false, positive = false;
  for (int i = 0; i < 64; ++i) (random.Integer(low, high) < 0 ? negative : positive) = true;
  EXPECT_TRUE(negative && positive);
}

TEST(RandomTest, NormalHasTheRightMomentsAndTails) {
  Random random(3);
  const int n = 200000;
  double sum = 0, squares = 0, fourth = 0;
  int beyond_two = 0;
  for (int i = 0; i < n; ++i) {
    const double x = random.Normal();
    ASSERT_TRUE(std::isfinite(x));
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
    beyond_two += std::abs(x) > 2;
  }
  EXPECT_NEAR(sum / n, 0, 0.01);
  EXPECT_NEAR(squares / n, 1, 0.015);
  EXPECT_NEAR(fourth / n, 3, 0.1);
  EXPECT_NEAR(static_cast<double>(beyond_two) / n, 0.0455, 0.002);
  double shifted = 0;
  for (int i = 0; i < 20000; ++i) shifted += random.Normal(10, 2);
  EXPECT_NEAR(shifted / 20000, 10, 0.06);
}

// Recorded once: a change here changes every seeded session of every user.
TEST(RandomTest, DrawsAreFrozen) {
  Random random(42);
  EXPECT_EQ(random.Next(), 1546998764402558742u);
  EXPECT_EQ(random.Uniform(), 0x1.84136619b444ep-2);
  EXPECT_EQ(random.Below(1000), 9u);
  EXPECT_EQ(random.Normal(), 0x1.df16ccfa4d2a1p-1);
  EXPECT_EQ(random.Fork("label").seed(), 14664459106315571955u);
  EXPECT_EQ(random.Fork(uint64_t{3}).seed(), 6025282554193210764u);
  EXPECT_EQ(random.Permutation(6), (std::vector<size_t>{0, 2, 4, 1, 5, 3}));
}

TEST(RandomTest, PermutationIsOneAndIsUniform) {
  Random random(4);
  std::vector<int> first(4);
  for (int i = 0; i < 8000; ++i) {
    std::vector<size_t> p = random.Permutation(4);
    ++first[p[0]];
    std::sort(p.begin(), p.end());
    ASSERT_EQ(p, (std::vector<size_t>{0, 1, 2, 3}));
  }
  for (int count : first) EXPECT_NEAR(count, 2000, 200);
  EXPECT_TRUE(random.Permutation(0).empty());
}

TEST(RandomTest, SaveAndRestoreContinueIdentically) {
  Random random(5);
  for (int i = 0; i < 3; ++i) random.Normal();
  std::optional<Random> restored = Random::Restore(random.Save());
  ASSERT_TRUE(restored.has_value());
  EXPECT_EQ(*restored, random);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(restored->Next(), random.Next());
}

TEST(RandomTest, RestoreRefusesWhatIsNoState) {
  for (const char* text : {"", "1", "1 2 3 4", "0 0 0 0 0", "1 2 3 4 5 6", "1 2 3 4 x",
                           "1  2 3 4 5", "1 2 3 4 fffffffffffffffff", "1 2 3 4 5 "}) {
    EXPECT_FALSE(Random::Restore(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace fettle
