// group_pointwise, depthwise, bottleneck and bottleneck_group: what they have in common.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <memory>

#include "fettle/core/error.h"
#include "fettle/network/variants/bottleneck.h"
#include "fettle/network/variants/bottleneck_group.h"
#include "fettle/network/variants/depthwise.h"
#include "fettle/network/variants/group_pointwise.h"
#include "tests/network/variants/factor_support.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

using testing::HasSubstr;

// One convolution with a stride, padding, dilation and bias as they come.
Graph Layer(int64_t outputs, int64_t inputs, const Window& window, bool has_bias = true) {
  NetworkBuilder b(1);
  std::vector<ValueId> operands = {
      b.Input({2, inputs, 9, 8}),
      b.Constant("w", {outputs, inputs, window.kernel[0], window.kernel[1]})};
  if (has_bias) operands.push_back(b.Constant("b", {outputs}));
  b.graph.AddOutput(b.Add("conv", Conv{window, 1}, operands));
  return std::move(b.graph);
}

std::vector<Window> Windows() {
  return {{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, {{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}},
          {{3, 3}, {1, 1}, {2, 2}, {2, 2}, {2, 2}}, {{3, 1}, {2, 1}, {1, 1}, {1, 0}, {1, 0}},
          {{1, 3}, {1, 2}, {1, 1}, {0, 1}, {0, 0}}, {{5, 5}, {1, 2}, {1, 1}, {2, 2}, {2, 1}}};
}

void ExpectSame(const FactorVariant& variant, const Graph& graph) {
  const Graph result = variant.Rewrite(graph, "conv", {});
  EXPECT_LT(WorstDifference(graph, result), 1e-5) << variant.Text();
  EXPECT_EQ(result.nodes().back().name, "conv");
}

TEST(CheapBlocksTest, WithAllTheyCouldHaveTheyAreTheLayer) {
  for (const Window& window : Windows()) {
    const int64_t taps = window.kernel[0] * window.kernel[1];
    for (const bool has_bias : {false, true}) {
      ExpectSame(DepthwiseVariant(std::min<int64_t>(7, taps)), Layer(7, 5, window, has_bias));
      ExpectSame(DepthwiseVariant(std::min<int64_t>(2, taps)), Layer(2, 5, window, has_bias));
      ExpectSame(GroupPointwiseVariant(1), Layer(6, 6, window, has_bias));
      ExpectSame(BottleneckVariant(1), Layer(6, 6, window, has_bias));
      ExpectSame(BottleneckGroupVariant(1, 1), Layer(6, 6, window, has_bias));
    }
  }
}

std::vector<std::unique_ptr<FactorVariant>> Variants() {
  std::vector<std::unique_ptr<FactorVariant>> variants;
  variants.push_back(std::make_unique<GroupPointwiseVariant>(2));
  variants.push_back(std::make_unique<GroupPointwiseVariant>(4));
  variants.push_back(std::make_unique<GroupPointwiseVariant>(8));
  variants.push_back(std::make_unique<DepthwiseVariant>(1));
  variants.push_back(std::make_unique<DepthwiseVariant>(2));
  variants.push_back(std::make_unique<BottleneckVariant>(2));
  variants.push_back(std::make_unique<BottleneckVariant>(4));
  variants.push_back(std::make_unique<BottleneckGroupVariant>(2, 2));
  variants.push_back(std::make_unique<BottleneckGroupVariant>(2, 4));
  return variants;
}

// A kernel that such factors make up is found again, with moments and without; but for groups
// behind bottlenecks, whose bases are searched for one after another.
TEST(CheapBlocksTest, FactorsAreFoundAgain) {
  for (const Window& window : Windows()) {
    const Graph graph = Layer(16, 8, window);
    const WeightedLayer layer = FindWeightedLayer(graph, "conv");
    const Moments input = RandomMoments(static_cast<size_t>(layer.patch()), 1000, 5);
    for (const auto& variant : Variants()) {
      if (!variant->WhyNot(layer).empty()) continue;
      std::vector<Factor> made;
      for (const FactorShape& shape : variant->Shapes(layer)) {
        made.push_back({shape, RandomMatrix(static_cast<size_t>(shape.outputs),
                                            static_cast<size_t>(shape.patch()), made.size() + 9)});
      }
      const Matrix kernel = ComposedKernel(made);
      const bool is_searched =
          dynamic_cast<const BottleneckGroupVariant*>(variant.get()) != nullptr;
      const double most = is_searched ? 0.5 : 1e-9;
      const auto error = [&](const Moments* moments) {
        return RelativeError(
            kernel, ComposedKernel(FittedFactors(*variant, layer, kernel, moments)), moments);
      };
      EXPECT_LT(error(nullptr), most) << variant->Text();
      EXPECT_LT(error(&input), most) << variant->Text();
    }
  }
}

TEST(CheapBlocksTest, DataMakesNoneWorse) {
  for (const Window& window : Windows()) {
    const Graph graph = Layer(16, 8, window);
    const WeightedLayer layer = FindWeightedLayer(graph, "conv");
    const Matrix kernel = KernelOf(graph, layer);
    for (uint64_t seed = 0; seed < 3; ++seed) {
      const Moments input = RandomMoments(static_cast<size_t>(layer.patch()), 1000, 7 + 2 * seed);
      for (const auto& variant : Variants()) {
        if (!variant->WhyNot(layer).empty()) continue;
        const Matrix without = ComposedKernel(FittedFactors(*variant, layer, kernel, nullptr));
        const Matrix with_data = ComposedKernel(FittedFactors(*variant, layer, kernel, &input));
        EXPECT_LE(RelativeError(kernel, with_data, &input), RelativeError(kernel, without, &input))
            << variant->Text() << " " << seed;
        EXPECT_LT(RelativeError(kernel, without, nullptr), 1) << variant->Text();
      }
    }
  }
}

TEST(CheapBlocksTest, MoreIsNearer) {
  const Graph graph = Layer(16, 16, Windows()[1]);
  const WeightedLayer layer = FindWeightedLayer(graph, "conv");
  const Matrix kernel = KernelOf(graph, layer);
  const auto error = [&](const FactorVariant& variant) {
    return RelativeError(kernel, ComposedKernel(FittedFactors(variant, layer, kernel, nullptr)),
                         nullptr);
  };
  for (int64_t multiplier = 2; multiplier <= 9; ++multiplier) {
    EXPECT_LT(error(DepthwiseVariant(multiplier)), error(DepthwiseVariant(multiplier - 1)));
  }
  for (const int64_t n : {1, 2, 4}) {
    EXPECT_LT(error(GroupPointwiseVariant(n)), error(GroupPointwiseVariant(2 * n)));
    EXPECT_LT(error(BottleneckVariant(n)), error(BottleneckVariant(2 * n)));
    EXPECT_LT(error(BottleneckVariant(2)), error(BottleneckGroupVariant(2, 2 * n)));
  }
  // One group after the other and the last to all is better than to cut the bottleneck's core.
  std::vector<Factor> cut = BottleneckVariant(2).Factorise(layer, kernel, nullptr);
  for (size_t k = 0; k < 8; ++k) {
    for (size_t i = 0; i < 72; ++i) {
      if (k / 4 != i / 36) cut[1].weights(k, i) = 0;
    }
  }
  EXPECT_LT(error(BottleneckGroupVariant(2, 2)),
            RelativeError(kernel, ComposedKernel(cut), nullptr));
}

TEST(CheapBlocksTest, AreRefusedWithReasons) {
  NetworkBuilder b(1);
  ValueId x = b.Convolve("pointwise", b.Input({1, 6, 5, 5}), 8, {.kernel = 1});
  x = b.Convolve("grouped", x, 8, {.groups = 2});
  x = b.Convolve("narrow", x, 3);
  x = b.Convolve("wide", x, 20);
  b.Classify(x);
  const auto fault = [&](const FactorVariant& variant, const char* layer) -> std::string {
    try {
      variant.Rewrite(b.graph, layer, {});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      return error.what();
    }
    return "";
  };
  for (const auto& variant : Variants()) {
    EXPECT_THAT(fault(*variant, "pointwise"), HasSubstr("its kernel is 1x1: svd is for that"));
    EXPECT_THAT(fault(*variant, "grouped"), HasSubstr("it is in groups"));
    EXPECT_THAT(fault(*variant, "classifier"), HasSubstr("it is no convolution"));
  }
  EXPECT_THAT(fault(GroupPointwiseVariant(3), "narrow"), HasSubstr("cannot be parted into 3"));
  EXPECT_THAT(fault(GroupPointwiseVariant(2), "narrow"), HasSubstr("a group of 4 inputs"));
  EXPECT_THAT(fault(DepthwiseVariant(4), "narrow"), HasSubstr("its multiplier is 3 at most"));
  EXPECT_THAT(fault(DepthwiseVariant(10), "wide"), HasSubstr("its multiplier is 9 at most"));
  EXPECT_THAT(fault(BottleneckVariant(2), "narrow"), HasSubstr("3 outputs are no multiple of 2"));
  EXPECT_THAT(fault(BottleneckVariant(2), "wide"), HasSubstr("10 channels between"));
  EXPECT_THAT(fault(BottleneckGroupVariant(10, 4), "wide"), HasSubstr("2 channels between cannot"));
}

TEST(CheapBlocksTest, FreshOnesHaveNormsBetweenAndAreDrawnFromTheSeed) {
  const Graph graph = Layer(64, 64, Windows()[1]);
  const Graph fresh = BottleneckVariant(2).Rewrite(graph, "conv", {.fresh_seed = 5});
  std::vector<std::string> nodes;
  for (const Node& node : fresh.nodes()) {
    nodes.push_back(Text(node.name, " ", NameOf(node.op)));
  }
  EXPECT_THAT(
      nodes, testing::ElementsAre("conv.1 conv", "conv.1.norm batch_norm", "conv.1.relu activation",
                                  "conv.2 conv", "conv.2.norm batch_norm", "conv.2.relu activation",
                                  "conv conv"));
  const Graph fitted = BottleneckVariant(2).Rewrite(graph, "conv", {.shapes_only = true});
  EXPECT_EQ(fresh.NumParameters(), fitted.NumParameters() + 2 * 4 * 32);
  EXPECT_EQ(fresh.value(fresh.outputs()[0]).type, graph.value(graph.outputs()[0]).type);
  // 32 filters of 32 inputs and 9 taps.
  const auto weights = fresh.value(fresh.nodes()[3].inputs[1]).constant->values<float>();
  double sum = 0, squares = 0;
  for (const float weight : weights) {
    sum += weight;
    squares += weight * weight;
  }
  const auto n = static_cast<double>(weights.size());
  EXPECT_EQ(n, 32 * 32 * 9);
  EXPECT_NEAR(sum / n, 0, 5 * std::sqrt(2.0 / 288 / n));
  EXPECT_NEAR(squares / n / (2.0 / 288), 1, 5 * std::sqrt(2 / n));
  for (const float bias : fresh.value(fresh.nodes()[6].inputs[2]).constant->values<float>()) {
    EXPECT_EQ(bias, 0);
  }
  const auto again = BottleneckVariant(2).Rewrite(graph, "conv", {.fresh_seed = 5});
  EXPECT_EQ(WorstDifference(fresh, again), 0);
  const auto other = BottleneckVariant(2).Rewrite(graph, "conv", {.fresh_seed = 6});
  EXPECT_GT(WorstDifference(fresh, other), 0.1);
}

}  // namespace
}  // namespace fettle
