#include "fettle/primitives/epilogue_pass.h"

#include <gtest/gtest.h>

#include <vector>

namespace fettle {
namespace {

// Every instruction set there is must give the same.
std::vector<Target> Targets() {
  Target avx2 = HostTarget(2);
  avx2.has_avx512 = false;
  return {HostTarget(2), avx2, Target{}};
}

TEST(EpiloguePassTest, AddsABiasToEachRow) {
  const std::vector<float> bias = {10, -20};
  for (const Target& target : Targets()) {
    std::vector<float> y = {1, 2, 3, 4, 5, 6};
    EpiloguePass(target, std::nullopt).ApplyToRows(y.data(), 2, 3, bias.data());
    EXPECT_EQ(y, (std::vector<float>{11, 12, 13, -16, -15, -14}));
  }
}

TEST(EpiloguePassTest, AddsABiasToEachColumnAndActivates) {
  const std::vector<float> bias = {10, -20, 0};
  const Activation relu{ActivationKind::kRelu, 0, 0};
  for (const Target& target : Targets()) {
    std::vector<float> y = {1, 2, 3, 4, 25, -6};
    EpiloguePass(target, relu).ApplyToColumns(y.data(), 2, 3, bias.data());
    EXPECT_EQ(y, (std::vector<float>{11, 0, 3, 14, 5, 0}));
  }
}

TEST(EpiloguePassTest, ActivatesWithoutABias) {
  const Activation clip{ActivationKind::kClip, -1, 2};
  for (const Target& target : Targets()) {
    std::vector<float> y = {-3, -1, 0, 1, 2, 3};
    EpiloguePass(target, clip).ApplyToRows(y.data(), 1, 6, nullptr);
    EXPECT_EQ(y, (std::vector<float>{-1, -1, 0, 1, 2, 2}));
  }
}

TEST(EpiloguePassTest, CoversAllOfAResultThatThreadsShare) {
  constexpr int64_t kRows = 301, kColumns = 257;
  for (const Target& target : Targets()) {
    std::vector<float> y(kRows * kColumns, 1), bias(kRows);
    for (int64_t row = 0; row < kRows; ++row) bias[row] = static_cast<float>(row);
    EpiloguePass(target, std::nullopt).ApplyToRows(y.data(), kRows, kColumns, bias.data());
    for (int64_t i = 0; i < kRows * kColumns; ++i) {
      const int64_t row = i / kColumns;
      ASSERT_EQ(y[i], 1 + static_cast<float>(row)) << i;
    }
  }
}

}  // namespace
}  // namespace fettle
