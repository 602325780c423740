#include "fettle/tuner/glimpse.h"

#include <gtest/gtest.h>

namespace fettle {
namespace {

// A step of 1e6 multiplications an image takes 3 * 128 * 1e6 / 3.84e9 = 0.1 s.
int64_t StepsOf(int64_t glimpses, double budget) {
  return GlimpseSteps(1'000'000, glimpses, budget, 3.84e9);
}

TEST(GlimpseTest, StepsFitAFifthOfTheBudget) {
  EXPECT_EQ(StepsOf(10, 600), 12);  // 120 s would do for 120
  EXPECT_EQ(StepsOf(10, 60), 12);   // 12 s for exactly 12
  EXPECT_EQ(StepsOf(10, 37), 7);
  EXPECT_EQ(StepsOf(10, 20), 4);
  EXPECT_EQ(StepsOf(10, 19), 0);  // 3 would tell nothing
}

TEST(GlimpseTest, NothingToGlimpseAt) {
  EXPECT_EQ(StepsOf(0, 600), 0);
  EXPECT_EQ(GlimpseSteps(0, 10, 600, 1e11), 0);
}

TEST(GlimpseTest, AWeakerInstructionSetIsReckonedSlower) {
  Target plain, wide, bf16;
  wide.has_avx512 = bf16.has_avx512 = bf16.has_avx512_bf16 = true;
  EXPECT_LT(ReckonedTrainingMacsPerSecond(plain), ReckonedTrainingMacsPerSecond(wide));
  EXPECT_LT(ReckonedTrainingMacsPerSecond(wide), ReckonedTrainingMacsPerSecond(bf16));
}

}  // namespace
}  // namespace fettle
