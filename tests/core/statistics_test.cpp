#include "fettle/core/statistics.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "fettle/core/random.h"

namespace fettle {
namespace {

std::vector<double> OneTo(int n) {
  std::vector<double> values;
  for (int i = n; i >= 1; --i) values.push_back(i);
  return values;
}

TEST(MedianTest, OfOddAndEvenCounts) {
  EXPECT_EQ(Median(std::vector<double>{7}), 7);
  EXPECT_EQ(Median(std::vector<double>{3, 1, 2}), 2);
  EXPECT_EQ(Median(std::vector<double>{4, 1, 3, 2}), 2.5);
}

// The ranks of the published tables of the sign test's 95 % interval.
TEST(MedianIntervalTest, HasTheTabulatedRanks) {
  const struct {
    int n;
    double low, high;
  } table[] = {{6, 1, 6},   {8, 1, 8},   {9, 2, 8},    {10, 2, 9},   {11, 2, 10},  {12, 3, 10},
               {20, 6, 15}, {25, 8, 18}, {30, 10, 21}, {50, 18, 33}, {100, 40, 61}};
  for (const auto& row : table) {
    const std::optional<Interval> interval = MedianInterval(OneTo(row.n));
    ASSERT_TRUE(interval) << row.n;
    EXPECT_EQ(interval->low, row.low) << row.n;
    EXPECT_EQ(interval->high, row.high) << row.n;
    EXPECT_EQ(interval->value, (1 + row.n) / 2.0) << row.n;
  }
}

TEST(MedianIntervalTest, NeedsSixSamples) {
  for (int n = 0; n < 6; ++n) EXPECT_FALSE(MedianInterval(OneTo(n))) << n;
}

TEST(MedianIntervalTest, HoldsForManySamples) {
  const std::optional<Interval> interval = MedianInterval(OneTo(100000));
  ASSERT_TRUE(interval);
  // n/2 -/+ 1.96 sqrt(n)/2
  EXPECT_NEAR(interval->low, 50000 - 310, 2);
  EXPECT_NEAR(interval->high, 50001 + 310, 2);
}

TEST(MedianIntervalTest, CoversTheMedianAsOftenAsItSays) {
  Random random(5);
  int covered = 0;
  const int trials = 4000;
  for (int t = 0; t < trials; ++t) {
    std::vector<double> samples(21);
    for (double& sample : samples) sample = std::exp(random.Normal());  // median 1, skewed
    const std::optional<Interval> interval = MedianInterval(samples);
    covered += interval->low <= 1 && 1 <= interval->high;
  }
  EXPECT_GE(covered, static_cast<int>(0.95 * trials));
}

// Figures of Newcombe (1998), Statistics in Medicine 17:857-872, table I, method 3.
TEST(WilsonIntervalTest, AgreesWithPublishedFigures) {
  const Interval a = WilsonInterval(81, 263);
  EXPECT_NEAR(a.low, 0.2553, 5e-5);
  EXPECT_NEAR(a.high, 0.3662, 5e-5);
  const Interval b = WilsonInterval(15, 148);
  EXPECT_NEAR(b.low, 0.0624, 5e-5);
  EXPECT_NEAR(b.high, 0.1605, 5e-5);
  const Interval c = WilsonInterval(0, 20);
  EXPECT_EQ(c.low, 0);
  EXPECT_NEAR(c.high, 0.1611, 5e-5);
  const Interval d = WilsonInterval(29, 29);
  EXPECT_EQ(d.high, 1);
}

// Both ends are where the score passes the quantile, and at no disagreement among n the interval is
// -/+ z^2 / (n + z^2), which follows from the statistic in closed form.
TEST(PairedDifferenceTest, WithoutDisagreementFollowsTheClosedForm) {
  const double z2 = 1.959963984540054 * 1.959963984540054;
  for (int64_t n : {10, 100, 10000}) {
    const Interval interval = PairedDifference(0, 0, n);
    EXPECT_EQ(interval.value, 0);
    EXPECT_NEAR(interval.high, z2 / (static_cast<double>(n) + z2), 1e-9) << n;
    EXPECT_NEAR(interval.low, -interval.high, 1e-9) << n;
  }
}

TEST(PairedDifferenceTest, IsAntisymmetric) {
  for (int64_t gained : {0, 3, 40}) {
    for (int64_t lost : {0, 7, 55}) {
      const Interval a = PairedDifference(gained, lost, 1000);
      const Interval b = PairedDifference(lost, gained, 1000);
      EXPECT_NEAR(a.value, -b.value, 1e-12);
      EXPECT_NEAR(a.low, -b.high, 1e-9);
      EXPECT_NEAR(a.high, -b.low, 1e-9);
      EXPECT_LE(a.low, a.value);
      EXPECT_GE(a.high, a.value);
    }
  }
}

TEST(PairedDifferenceTest, ApproachesWaldForManyDisagreements) {
  const double n = 100000, gained = 8000, lost = 9000;
  const double difference = (gained - lost) / n;
  const double wald =
      1.959963984540054 * std::sqrt(gained + lost - (gained - lost) * (gained - lost) / n) / n;
  const Interval interval = PairedDifference(8000, 9000, 100000);
  EXPECT_NEAR(interval.low, difference - wald, 2e-6);
  EXPECT_NEAR(interval.high, difference + wald, 2e-6);
}

TEST(PairedDifferenceTest, CoversTheDifferenceAsOftenAsItSays) {
  Random random(9);
  const double p_gained = 0.01, p_lost = 0.03;
  int covered = 0;
  const int trials = 2000;
  for (int t = 0; t < trials; ++t) {
    int64_t gained = 0, lost = 0;
    for (int i = 0; i < 500; ++i) {
      const double draw = random.Uniform();
      gained += draw < p_gained;
      lost += draw >= p_gained && draw < p_gained + p_lost;
    }
    const Interval interval = PairedDifference(gained, lost, 500);
    covered += interval.low <= p_gained - p_lost && p_gained - p_lost <= interval.high;
  }
  EXPECT_GE(covered, static_cast<int>(0.93 * trials));
  EXPECT_LE(covered, static_cast<int>(0.985 * trials));
}

TEST(PairedDifferenceTest, StaysWithinItsRangeAtTheExtremes) {
  EXPECT_LE(PairedDifference(10, 0, 10).high, 1);
  EXPECT_GE(PairedDifference(0, 10, 10).low, -1);
}

}  // namespace
}  // namespace fettle
