#include "fettle/network/variants/spatial_svd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/first_factor.h"
#include "tests/network/variants/factor_support.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

TEST(SpatialSvdTest, FullRankReproducesTheLayer) {
  for (const Window& window : SpatialWindows()) {
    const Graph graph = ConvNetwork(window, 6, 5);
    const int64_t rank = std::min(6 * window.kernel[0], 5 * window.kernel[1]);
    EXPECT_LT(WorstDifference(graph, SpatialSvdVariant(rank).Rewrite(graph, "conv", {})), 1e-5)
        << window.kernel[0] << "x" << window.kernel[1];
  }
}

TEST(SpatialSvdTest, ErrorIsWhatTheSingularValuesLeaveAndDoesNotRise) {
  for (const Window& window : SpatialWindows()) {
    const Graph graph = ConvNetwork(window, 6, 5);
    const auto taps = static_cast<size_t>(window.kernel[0] * window.kernel[1]);
    const Moments input = RandomMoments(6 * taps, 500, 3);
    double last = 1, last_with_data = 1;
    const int64_t most = std::min(6 * window.kernel[0], 5 * window.kernel[1]);
    for (int64_t rank = 1; rank <= most; ++rank) {
      const SpatialSvdVariant variant(rank);
      const double error = ErrorOf(variant, graph, nullptr);
      EXPECT_LE(error, last + 1e-12) << rank;
      last = error;
      const double with_data = ErrorOf(variant, graph, &input);
      EXPECT_LE(with_data, PlainErrorOf(variant, graph, input) + 1e-12) << rank;
      EXPECT_LE(with_data, last_with_data + 1e-12) << rank;
      last_with_data = with_data;
    }
    EXPECT_NEAR(last, 0, 1e-9);
    EXPECT_NEAR(last_with_data, 0, 1e-9);
  }
}

// Fitting both factors is worth more than refitting the last of the plain ones.
TEST(SpatialSvdTest, DataHelpBeyondTheLastFactor) {
  const Graph graph = ConvNetwork(SpatialWindows()[0], 12, 10);
  const Moments input = RandomMoments(size_t{12} * 9, 1000, 3);
  const WeightedLayer layer = FindWeightedLayer(graph, "conv");
  const Matrix kernel = KernelOf(graph, layer);
  const SpatialSvdVariant variant(6);
  std::vector<Factor> plain = variant.Factorise(layer, kernel, nullptr);
  RefitLast(kernel, input, &plain);
  EXPECT_LT(ErrorOf(variant, graph, &input),
            0.95 * RelativeError(kernel, ComposedKernel(plain), &input));
}

TEST(SpatialSvdTest, IsRefusedWithAReason) {
  EXPECT_THAT(Refusals(SpatialSvdVariant(2), SpatialSvdVariant(25)),
              ElementsAre(HasSubstr("in groups"), HasSubstr("1x1: svd is for that"),
                          HasSubstr("no convolution"), HasSubstr("24 at most")));
}

// Given the factors behind it, no small change of the first one is better.
TEST(FirstFactorTest, RefittedWeightsAreThoseOfLeastSquares) {
  const Graph graph = ConvNetwork(SpatialWindows()[0], 5, 6);
  const Moments input = RandomMoments(size_t{5} * 9, 500, 3);
  const WeightedLayer layer = FindWeightedLayer(graph, "conv");
  const Matrix kernel = KernelOf(graph, layer);
  std::vector<Factor> factors = SpatialSvdVariant(3).Factorise(layer, kernel, nullptr);
  double last = RelativeError(kernel, ComposedKernel(factors), &input);
  for (int step = 0; step < 5; ++step) {
    RefitFirst(kernel, input, 1, &factors);
    const double error = RelativeError(kernel, ComposedKernel(factors), &input);
    EXPECT_LE(error, last);
    last = error;
  }
  RefitFirst(kernel, input, 100, &factors);
  const double best = RelativeError(kernel, ComposedKernel(factors), &input);
  EXPECT_LT(best, last);
  for (uint64_t trial = 0; trial < 20; ++trial) {
    std::vector<Factor> other = factors;
    const Matrix change = RandomMatrix(3, 15, trial);
    for (size_t i = 0; i < change.values().size(); ++i) {
      other[0].weights.values()[i] += 1e-3 * change.values()[i];
    }
    EXPECT_GT(RelativeError(kernel, ComposedKernel(other), &input), best);
  }
}

}  // namespace
}  // namespace fettle
