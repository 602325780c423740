#include "fettle/network/variants/tucker2.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <span>
#include <utility>

#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/higher_order.h"
#include "tests/network/variants/factor_support.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(Tucker2Test, FullRankReproducesTheLayer) {
  for (const Window& window : SpatialWindows()) {
    const Graph graph = ConvNetwork(window, 6, 5);
    EXPECT_LT(WorstDifference(graph, Tucker2Variant(6, 5).Rewrite(graph, "conv", {})), 1e-5);
  }
}

// With data only a local optimum is found, and one rank's may be a little worse than the next
// smaller one's; both ranks greater, it never was.
TEST(Tucker2Test, ErrorDoesNotRiseWithEitherRank) {
  constexpr double kSlack = 1.02;
  for (const Window& window : SpatialWindows()) {
    const Graph graph = ConvNetwork(window, 6, 7);
    const auto taps = static_cast<size_t>(window.kernel[0] * window.kernel[1]);
    const Moments input = RandomMoments(6 * taps, 500, 3);
    double plain[7][8], with_data[7][8];
    for (int64_t r3 = 1; r3 <= 6; ++r3) {
      for (int64_t r4 = 1; r4 <= 7; ++r4) {
        const Tucker2Variant variant(r3, r4);
        plain[r3][r4] = ErrorOf(variant, graph, nullptr);
        with_data[r3][r4] = ErrorOf(variant, graph, &input);
        EXPECT_LE(with_data[r3][r4], PlainErrorOf(variant, graph, input) + 1e-12);
        if (r3 > 1) {
          EXPECT_LE(plain[r3][r4], plain[r3 - 1][r4] + 1e-9) << r3 << " " << r4;
          EXPECT_LE(with_data[r3][r4], kSlack * with_data[r3 - 1][r4] + 1e-9) << r3 << " " << r4;
        }
        if (r3 > 1 && r4 > 1) {
          EXPECT_LE(with_data[r3][r4], with_data[r3 - 1][r4 - 1] + 1e-9) << r3 << " " << r4;
        }
        if (r4 > 1) {
          EXPECT_LE(plain[r3][r4], plain[r3][r4 - 1] + 1e-9) << r3 << " " << r4;
          EXPECT_LE(with_data[r3][r4], kSlack * with_data[r3][r4 - 1] + 1e-9) << r3 << " " << r4;
        }
      }
    }
    EXPECT_NEAR(plain[6][7], 0, 1e-9);
    EXPECT_NEAR(with_data[6][7], 0, 1e-9);
  }
}

TEST(Tucker2Test, IterationKeepsMoreThanTheSingularValuesAlone) {
  const Matrix kernel = RandomMatrix(12, size_t{10} * 9, 5);
  const auto kept = [&](int rounds) {
    return CoreOf(kernel, 9, BestChannelBases(kernel, 9, 3, 4, rounds)).SquaredNorm();
  };
  EXPECT_GT(kept(30), 1.004 * kept(0));
  EXPECT_GE(kept(30), kept(3));
}

TEST(Tucker2Test, OffersTheRanksSeenThroughNoiseAmongOthers) {
  // Ten inputs' and six outputs' worth of a kernel, and a little noise.
  NetworkBuilder b(1);
  const Matrix noise = RandomMatrix(32, size_t{48} * 9, 9);
  Tensor weights(TensorType{DType::kF32, {32, 48, 3, 3}});
  const Matrix core = RandomMatrix(6, size_t{10} * 9, 6), outputs = RandomMatrix(32, 6, 7);
  const Matrix inputs = RandomMatrix(48, 10, 8);
  const Matrix behind = Product(outputs, core);
  for (size_t t = 0; t < 32; ++t) {
    for (size_t s = 0; s < 48; ++s) {
      for (size_t k = 0; k < 9; ++k) {
        double sum = 0.5 * noise(t, s * 9 + k);
        for (size_t r = 0; r < 10; ++r) sum += behind(t, r * 9 + k) * inputs(s, r);
        weights.values<float>()[(t * 48 + s) * 9 + k] = static_cast<float>(sum);
      }
    }
  }
  b.graph.AddOutput(b.Add("conv", Conv{SpatialWindows()[0], 1},
                          {b.Input({1, 48, 9, 8}), b.graph.AddConstant("w", std::move(weights))}));
  const auto decisions =
      FindDecisions(std::span(&kTucker2Kind, 1), b.graph, {.channel_step = 1, .most_options = 4});
  ASSERT_EQ(decisions.size(), 1u);
  std::vector<std::string> names;
  for (const NetworkOption& option : decisions[0].options) names.push_back(option.variant);
  EXPECT_THAT(names, testing::Contains("tucker2(r3=10,r4=6)"));
  EXPECT_LE(names.size(), 4u);
  EXPECT_TRUE(
      std::ranges::is_sorted(decisions[0].options, std::greater<>(), &NetworkOption::parameters));
  const auto coarse = FindDecisions(std::span(&kTucker2Kind, 1), b.graph, {.channel_step = 8});
  EXPECT_FALSE(coarse[0].options.empty());
  for (const NetworkOption& option : coarse[0].options) {
    VariantText text(option.variant);
    EXPECT_EQ(text.TakeCount("r3") % 8, 0) << option.variant;
    EXPECT_EQ(text.TakeCount("r4") % 8, 0) << option.variant;
  }
}

TEST(Tucker2Test, IsRefusedWithAReason) {
  EXPECT_THAT(Refusals(Tucker2Variant(2, 2), Tucker2Variant(2, 9)),
              ElementsAre(HasSubstr("in groups"), HasSubstr("1x1: svd is for that"),
                          HasSubstr("no convolution"), HasSubstr("r4 is 8 at most")));
  EXPECT_THAT(Refusals(Tucker2Variant(2, 2), Tucker2Variant(9, 2))[3],
              HasSubstr("r3 is 8 at most"));
}

}  // namespace
}  // namespace fettle
