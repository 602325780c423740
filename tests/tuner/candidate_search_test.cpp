#include "fettle/tuner/candidate_search.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace fettle {
namespace {

TEST(PredictedLoss, IsTheSumOfSingleChanges) {
  const DesignSpace space({{0, "a", 3, true}, {1, "b", 2, false}, {2, "c", 2, false}});
  const std::map<std::string, double> sensitivities = {
      {"1,0,0", 0.1}, {"2,0,0", 0.4}, {"0,1,0", 0.02}, {"0,0,1", -0.5}};
  EXPECT_EQ(PredictedLoss({{0, 0, 0}}, space, sensitivities), 0);
  EXPECT_DOUBLE_EQ(PredictedLoss({{2, 1, 0}}, space, sensitivities), 0.42);
  EXPECT_DOUBLE_EQ(PredictedLoss({{1, 0, 1}}, space, sensitivities), 0.1);  // gains do not count
}

TEST(DropIndistinct, KeepsWhatIsWorthItsTime) {
  std::vector<PredictedCandidate> front(5);
  const double losses[] = {0.5, 0.2, 0.1995, 0.15, 0.1};  // fastest first
  const double ms[] = {1, 2, 3, 3.96, 4};
  for (size_t i = 0; i < front.size(); ++i) {
    front[i].loss = losses[i];
    front[i].ms = ms[i];
  }
  const std::vector<PredictedCandidate> kept = DropIndistinct(front);
  ASSERT_EQ(kept.size(), 3u);
  EXPECT_EQ(kept[0].ms, 1);
  EXPECT_EQ(kept[1].ms, 2);  // the one of 3 ms loses as much but for noise
  EXPECT_EQ(kept[2].ms, 4);  // the one of 3.96 ms is as fast but for noise, and loses more
  EXPECT_TRUE(DropIndistinct({}).empty());
}

TEST(SpreadOver, TakesBothEndsAndNoneTwice) {
  std::vector<PredictedCandidate> front;
  for (int i = 0; i < 20; ++i) front.push_back({{{i}}, 1.0 + i, 2.0 - 0.1 * i});
  for (const size_t count : {1u, 2u, 5u, 20u, 30u}) {
    const std::vector<PredictedCandidate> picked = SpreadOver(front, count);
    EXPECT_EQ(picked.size(), std::min<size_t>(count, 20));
    EXPECT_TRUE(std::ranges::is_sorted(picked, std::greater(), &PredictedCandidate::ms));
    if (count < 2) continue;
    EXPECT_EQ(picked.front().ms, 20);
    EXPECT_EQ(picked.back().ms, 1);
  }
  EXPECT_TRUE(SpreadOver({}, 3).empty());
}

}  // namespace
}  // namespace fettle
