#include "fettle/network/variants/svd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fettle/core/error.h"
#include "fettle/network/linalg/decompositions.h"
#include "tests/network/variants/factor_support.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

using testing::HasSubstr;

// A 1x1 convolution with a stride, and a linear layer.
Graph Network() {
  NetworkBuilder b(1);
  const ValueId x = b.Unit("conv", b.Input({2, 12, 5, 5}), 10,
                           {.kernel = 1, .stride = 2, .pad = 0, .has_bias = true});
  b.graph.AddOutput(b.Linear("linear", b.Flatten("flatten", x), 20));
  return b.graph;
}

TEST(SvdTest, FullRankReproducesTheLayer) {
  const Graph graph = Network();
  EXPECT_LT(WorstDifference(graph, SvdVariant(10).Rewrite(graph, "conv", {})), 1e-5);
  EXPECT_LT(WorstDifference(graph, SvdVariant(20).Rewrite(graph, "linear", {})), 1e-5);
}

TEST(SvdTest, ErrorIsWhatTheSingularValuesLeaveAndDoesNotRise) {
  const Graph graph = Network();
  const WeightedLayer layer = FindWeightedLayer(graph, "conv");
  const Matrix kernel = KernelOf(graph, layer);
  const std::vector<double> spectrum = SpectrumOf(kernel);
  const Moments input = RandomMoments(12, 300, 1);
  double left = 0, last = 0;
  for (const double energy : spectrum) left += energy;
  const double whole = left;
  double last_with_data = 1;
  for (int64_t rank = 1; rank <= 10; ++rank) {
    left -= spectrum[static_cast<size_t>(rank - 1)];
    const SvdVariant variant(rank);
    const Matrix got = ComposedKernel(FittedFactors(variant, layer, kernel, nullptr));
    EXPECT_NEAR(RelativeError(kernel, got, nullptr), left / whole, 1e-9);
    const Matrix with_data = ComposedKernel(FittedFactors(variant, layer, kernel, &input));
    const double error = RelativeError(kernel, with_data, &input);
    EXPECT_LE(error, RelativeError(kernel, got, &input) + 1e-12);
    EXPECT_LE(error, last_with_data + 1e-12);
    last_with_data = error;
    last = left;
  }
  EXPECT_NEAR(last, 0, 1e-9);
}

TEST(SvdTest, IsRefusedWithAReason) {
  NetworkBuilder b(1);
  ValueId x = b.Convolve("spatial", b.Input({1, 8, 5, 5}), 8);
  b.graph.AddOutput(b.Convolve("grouped", x, 8, {.kernel = 1, .groups = 2}));
  const auto fault = [&](const char* layer, int64_t rank) -> std::string {
    try {
      SvdVariant(rank).Rewrite(b.graph, layer, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  };
  EXPECT_THAT(fault("spatial", 2), HasSubstr("larger than 1x1"));
  EXPECT_THAT(fault("grouped", 2), HasSubstr("in groups"));
  EXPECT_THAT(fault("absent", 2), HasSubstr("no layer 'absent'"));
}

}  // namespace
}  // namespace fettle
