#include "fettle/network/variants/factor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <set>
#include <span>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/bottleneck.h"
#include "fettle/network/variants/decisions.h"
#include "tests/network/random_network.h"
#include "tests/network/variants/factor_support.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

Factor RandomFactor(const FactorShape& shape, uint64_t seed) {
  return {shape, RandomMatrix(static_cast<size_t>(shape.outputs),
                              static_cast<size_t>(shape.patch()), seed)};
}

Window WindowOf(std::vector<int64_t> kernel, std::vector<int64_t> strides,
                std::vector<int64_t> pads) {
  return {std::move(kernel), std::move(strides), {1, 1}, pads, pads};
}

// One convolution with the composed kernel computes what the row of factors does.
TEST(FactorTest, TheComposedKernelComputesWhatTheRowDoes) {
  const std::vector<std::vector<FactorShape>> rows = {
      {{4, 6, 1, WindowOf({3, 3}, {2, 2}, {1, 1})}, PointwiseFactor(5, 4)},
      {PointwiseFactor(4, 6), {4, 4, 2, WindowOf({3, 3}, {1, 2}, {1, 1})}, PointwiseFactor(5, 4)},
      {{4, 6, 1, WindowOf({3, 1}, {2, 1}, {1, 0})}, {5, 4, 1, WindowOf({1, 3}, {1, 2}, {0, 1})}},
      {{12, 6, 6, WindowOf({3, 3}, {1, 1}, {1, 1})}, PointwiseFactor(5, 12)},
  };
  const std::vector<int64_t> strides[] = {{2, 2}, {1, 2}, {2, 2}, {1, 1}};
  for (size_t i = 0; i < rows.size(); ++i) {
    NetworkBuilder b(1);
    const Conv op{WindowOf({3, 3}, strides[i], {1, 1}), 1};
    b.graph.AddOutput(b.Add("conv", op, {b.Input({2, 6, 9, 8}), b.Constant("w", {5, 6, 3, 3})}));
    const WeightedLayer layer = FindWeightedLayer(b.graph, "conv");
    std::vector<Factor> factors;
    for (size_t k = 0; k < rows[i].size(); ++k) factors.push_back(RandomFactor(rows[i][k], k));
    const Factor whole = {{5, 6, 1, op.window}, ComposedKernel(factors)};
    const std::vector<double> bias = {1, -2, 3, 0, 0.5};
    EXPECT_LT(WorstDifference(WithFactors(b.graph, layer, factors, bias),
                              WithFactors(b.graph, layer, std::vector{whole}, bias)),
              1e-5)
        << i;
  }
}

TEST(FactorTest, NamesAreKeptAndNewOnesAreUnused) {
  NetworkBuilder b(1);
  b.Classify(b.Unit("conv", b.Input({1, 4, 5, 5}), 6, {.kernel = 1}));
  const auto rewritten = [](const Graph& graph) {
    const WeightedLayer layer = FindWeightedLayer(graph, "conv");
    const std::vector<FactorShape> shapes = {{3, layer.inputs, 1, layer.window},
                                             PointwiseFactor(layer.outputs, 3)};
    return WithFactorShapes(graph, layer, shapes);
  };
  const Graph once = rewritten(b.graph), twice = rewritten(once);
  EXPECT_EQ(once.nodes()[0].name, "conv.1");
  EXPECT_EQ(once.nodes()[1].name, "conv");
  EXPECT_EQ(once.value(once.nodes()[1].outputs[0]).name, "conv");
  EXPECT_EQ(twice.nodes()[0].name, "conv.1");
  EXPECT_EQ(twice.nodes()[1].name, "conv.1_2");
  EXPECT_EQ(twice.nodes()[2].name, "conv");
  EXPECT_EQ(once.NumParameters(), b.graph.NumParameters() - 24 + 12 + 18);
}

// The other layer computes what it did, and the decision counts what stays.
TEST(FactorTest, WeightsThatAnotherLayerReadsStay) {
  NetworkBuilder b(1);
  const Conv op{WindowOf({3, 3}, {1, 1}, {1, 1}), 1};
  const ValueId weights = b.Constant("w", {4, 4, 3, 3}), bias = b.Constant("b", {4});
  const ValueId x = b.Add("one", op, {b.Input({1, 4, 5, 5}), weights, bias});
  b.graph.AddOutput(b.Add("two", op, {x, weights, bias}));
  const BottleneckVariant variant(2);
  const auto decisions = FindDecisions(std::span(&kBottleneckKind, 1), b.graph, {});
  ASSERT_FALSE(decisions.at(0).options.empty());
  ASSERT_EQ(decisions[0].options[0].variant, variant.Text());
  for (const RewriteOptions& options : {RewriteOptions{}, RewriteOptions{.shapes_only = true}}) {
    const Graph result = variant.Rewrite(b.graph, "one", options);
    EXPECT_EQ(result.NumParameters(), decisions[0].options[0].parameters);
    const Node& two = result.nodes().back();
    EXPECT_EQ(result.value(two.inputs[1]).constant, b.graph.value(weights).constant);
    EXPECT_EQ(result.value(two.inputs[2]).constant, b.graph.value(bias).constant);
    std::set<std::string> names;
    for (size_t i = 0; i < result.num_values(); ++i) {
      const std::string& name = result.value(static_cast<ValueId>(i)).name;
      EXPECT_TRUE(names.insert(name).second) << name;
    }
  }
}

TEST(FactorTest, WeightsThatAreNotFiniteAreAReason) {
  NetworkBuilder b(1);
  b.Classify(b.Convolve("conv", b.Input({1, 8, 5, 5}), 8));
  const ValueId id = b.graph.nodes()[0].inputs[1];
  Tensor weights = *b.graph.value(id).constant;
  weights.values<float>()[3] = std::nanf("");
  const Graph graph = WithConstants(b.graph, {{id, weights}});
  for (const WeightedLayer& layer : WeightedLayers(graph)) EXPECT_NE(layer.name, "conv");
  try {
    BottleneckVariant(2).Rewrite(graph, "conv", {});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
    EXPECT_NE(std::string(error.what()).find("'conv'"), std::string::npos);
  }
}

// For a first factor that throws away what the layer needs, the last one makes the best of it: no
// small change of its weights is better.
TEST(FactorTest, RefittedWeightsAreThoseOfLeastSquares) {
  const Moments input = RandomMoments(6 * 9, 400, 3);
  const Matrix kernel = RandomMatrix(5, 6 * 9, 4);
  const std::vector<std::vector<FactorShape>> rows = {
      {{4, 6, 1, WindowOf({3, 3}, {1, 1}, {1, 1})}, PointwiseFactor(5, 4)},
      {{4, 6, 1, WindowOf({3, 1}, {1, 1}, {1, 0})}, {5, 4, 1, WindowOf({1, 3}, {1, 1}, {0, 1})}},
  };
  for (const auto& shapes : rows) {
    std::vector<Factor> factors;
    for (size_t k = 0; k < shapes.size(); ++k) factors.push_back(RandomFactor(shapes[k], k + 7));
    const double before = RelativeError(kernel, ComposedKernel(factors), &input);
    RefitLast(kernel, input, &factors);
    const double best = RelativeError(kernel, ComposedKernel(factors), &input);
    EXPECT_LT(best, 0.9 * before);
    Random random(1);
    for (int trial = 0; trial < 20; ++trial) {
      std::vector<Factor> other = factors;
      for (double& weight : other.back().weights.values()) weight += 0.01 * random.Normal();
      EXPECT_GT(RelativeError(kernel, ComposedKernel(other), &input), best);
    }
  }
}

TEST(FactorTest, RefittingASingleFactorInGroupsUsesEachGroupsOwnInputs) {
  Moments input = RandomMoments(4 * 9, 400, 3);
  input.samples = 1'000'000'000;  // so that the ridge is next to nothing
  const Matrix kernel = RandomMatrix(6, 4 * 9, 4);
  const FactorShape shape = {6, 4, 2, WindowOf({3, 3}, {1, 1}, {1, 1})};
  std::vector<Factor> factors = {{shape, Matrix(6, 2 * 9)}};
  for (size_t t = 0; t < 6; ++t) {
    for (size_t i = 0; i < 18; ++i) factors[0].weights(t, i) = kernel(t, t / 3 * 18 + i);
  }
  RefitLast(kernel, input, &factors);
  // W_g = K_g C_:g (C_gg)^-1.
  const Matrix covariance(36, 36, input.covariance);
  const Matrix seen = Product(kernel, covariance);
  for (size_t g = 0; g < 2; ++g) {
    Matrix normal(18, 18), right(18, 3);
    for (size_t i = 0; i < 18; ++i) {
      for (size_t j = 0; j < 18; ++j) normal(i, j) = covariance(g * 18 + i, g * 18 + j);
      for (size_t t = 0; t < 3; ++t) right(i, t) = seen(g * 3 + t, g * 18 + i);
    }
    const Matrix best = SolvePositive(normal, right);
    for (size_t t = 0; t < 3; ++t) {
      for (size_t i = 0; i < 18; ++i) {
        EXPECT_NEAR(factors[0].weights(g * 3 + t, i), best(i, t), 1e-4);
      }
    }
  }
}

}  // namespace
}  // namespace fettle
