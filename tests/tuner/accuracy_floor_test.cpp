#include "fettle/tuner/accuracy_floor.h"

#include <gtest/gtest.h>

#include "tests/tuner/sample_session.h"

namespace fettle {
namespace {

const std::vector<Objective> kSpeed = {Objective::kLatency, Objective::kAccuracy};

TEST(AccuracyFloor, IsALittleLessThanTheBestOfThoseSurelyFaster) {
  const VerifiedPoint candidate = SamplePoint("c9", 0, 0);
  // Up to 1.1, 2.2 and 3.3 ms.
  const std::vector<VerifiedPoint> points = {SamplePoint("c0", 2, 0.92), SamplePoint("c1", 1, 0.85),
                                             SamplePoint("c2", 3, 0.95)};
  const auto floor = [&](double ms) { return AccuracyFloor(candidate, ms, points, kSpeed); };
  EXPECT_FALSE(floor(1));
  EXPECT_FALSE(floor(1.2));  // 1.1 ms is not less by a tenth
  EXPECT_NEAR(floor(1.3).value(), 0.83, 1e-12);
  EXPECT_NEAR(floor(2.4).value(), 0.83, 1e-12);
  EXPECT_NEAR(floor(2.5).value(), 0.90, 1e-12);
  EXPECT_NEAR(floor(9).value(), 0.93, 1e-12);
  EXPECT_FALSE(AccuracyFloor(candidate, 9, {}, kSpeed));
}

TEST(AccuracyFloor, OfAFasterPointThatIsLessAccurateIsNotTaken) {
  const std::vector<VerifiedPoint> points = {SamplePoint("c0", 2, 0.92), SamplePoint("c1", 1, 0.3)};
  EXPECT_NEAR(AccuracyFloor(SamplePoint("c2", 0, 0), 9, points, kSpeed).value(), 0.90, 1e-12);
}

TEST(AccuracyFloor, OfARevisionIsItself) {
  VerifiedPoint deeper = SamplePoint("c0", 2, 0.8);
  deeper.revision = 1;
  const std::vector<VerifiedPoint> points = {SamplePoint("c1", 1, 0.95)};
  EXPECT_EQ(AccuracyFloor(deeper, 9, points, kSpeed), 0.8);
  // It is compared with what it was, which is as large.
  EXPECT_EQ(AccuracyFloor(deeper, 9, points, {Objective::kAccuracy, Objective::kMemory}), 0.8);
}

TEST(AccuracyFloor, IsNoneWhereMoreThanLatencyCounts) {
  const VerifiedPoint candidate = SamplePoint("c9", 0, 0);
  const std::vector<VerifiedPoint> points = {SamplePoint("c0", 1, 0.9)};
  for (const Objective other : {Objective::kMemory, Objective::kEnergy}) {
    std::vector<Objective> objectives = kSpeed;
    objectives.push_back(other);
    EXPECT_FALSE(AccuracyFloor(candidate, 9, points, objectives));
  }
  EXPECT_TRUE(AccuracyFloor(candidate, 9, points, {Objective::kAccuracy}));
}

}  // namespace
}  // namespace fettle
