#include "fettle/primitives/winograd.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "fettle/core/random.h"

namespace fettle {
namespace {

// A correlation with 3 taps, by F(kOutputs, 3) with elements of type Scalar.
template <int kOutputs, typename Scalar>
void ByWinograd(const double* inputs, const double* taps, double* outputs) {
  using Transform = WinogradTransform<kOutputs, Scalar>;
  constexpr int kTile = Transform::kTile;
  Scalar d[kTile], g[3], v[kTile], u[kTile], y[kOutputs];
  std::copy_n(inputs, kTile, d);
  std::copy_n(taps, 3, g);
  Transform::Input(d, v);
  Transform::Filter(g, u);
  for (int i = 0; i < kTile; ++i) v[i] *= u[i];
  Transform::Output(v, y);
  std::copy_n(y, kOutputs, outputs);
}

// The largest error over random inputs and taps in [-1, 1].
template <int kOutputs, typename Scalar>
double WorstError() {
  Random random(3);
  double worst = 0;
  for (int trial = 0; trial < 1000; ++trial) {
    double inputs[kOutputs + 2], taps[3], outputs[kOutputs];
    for (double& value : inputs) value = random.Uniform(-1, 1);
    for (double& value : taps) value = random.Uniform(-1, 1);
    ByWinograd<kOutputs, Scalar>(inputs, taps, outputs);
    for (int i = 0; i < kOutputs; ++i) {
      const double direct = inputs[i] * taps[0] + inputs[i + 1] * taps[1] + inputs[i + 2] * taps[2];
      worst = std::max(worst, std::abs(outputs[i] - direct));
    }
  }
  return worst;
}

TEST(WinogradTest, IsTheCorrelationInDoublePrecision) {
  EXPECT_LT((WorstError<2, double>()), 1e-14);
  EXPECT_LT((WorstError<4, double>()), 1e-13);
  EXPECT_LT((WorstError<6, double>()), 1e-12);
}

TEST(WinogradTest, LosesFewDigitsInSinglePrecision) {
  EXPECT_LT((WorstError<2, float>()), 1e-6);
  EXPECT_LT((WorstError<4, float>()), 4e-6);
  EXPECT_LT((WorstError<6, float>()), 2e-5);
}

}  // namespace
}  // namespace fettle
