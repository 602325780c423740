#include "fettle/cost_models/reckoned_cost.h"

#include <gtest/gtest.h>

namespace fettle {
namespace {

LayerSpec Convolution(int64_t inputs, int64_t outputs, int64_t kernel, int64_t groups,
                      int64_t extent) {
  const int64_t pad = kernel / 2;
  LayerSpec spec;
  spec.op = Conv{{{kernel, kernel}, {1, 1}, {1, 1}, {pad, pad}, {pad, pad}}, groups};
  spec.inputs = {{DType::kF32, {1, inputs, extent, extent}}};
  spec.weights = {{DType::kF32, {outputs, inputs / groups, kernel, kernel}}};
  spec.output = {DType::kF32, {1, outputs, extent, extent}};
  return spec;
}

Target WideTarget() {
  Target target;
  target.has_avx2 = target.has_avx512 = true;
  return target;
}

TEST(ReckonedCost, MoreArithmeticTakesLongerAndMoreThreadsLess) {
  const double layer = ReckonedMs(Convolution(64, 64, 3, 1, 56), WideTarget());
  EXPECT_GT(ReckonedMs(Convolution(64, 128, 3, 1, 56), WideTarget()), 1.5 * layer);
  Target two = WideTarget();
  two.threads = 2;
  EXPECT_LT(ReckonedMs(Convolution(64, 64, 3, 1, 56), two), layer);
  EXPECT_GT(ReckonedMs(Convolution(64, 64, 3, 1, 56), Target()), layer);
}

// Four channels a group do a sixteenth of the arithmetic, and save less than that.
TEST(ReckonedCost, NarrowGroupsSaveLessThanTheirArithmetic) {
  const double dense = ReckonedMs(Convolution(64, 64, 3, 1, 56), WideTarget());
  const double grouped = ReckonedMs(Convolution(64, 64, 3, 16, 56), WideTarget());
  EXPECT_LT(grouped, dense);
  EXPECT_GT(grouped, dense / 8);
}

TEST(ReckonedCost, AnEmptyNetworkTakesNothing) {
  EXPECT_EQ(ReckonedMs(LayerGraph(), WideTarget()), 0);
}

}  // namespace
}  // namespace fettle
