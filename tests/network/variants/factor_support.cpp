#include "tests/network/variants/factor_support.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "tests/network/random_network.h"
#include "tests/support/network_builder.h"

namespace fettle {

Matrix RandomMatrix(size_t rows, size_t columns, uint64_t seed) {
  Random random(seed);
  Matrix matrix(rows, columns);
  for (double& value : matrix.values()) value = random.Normal();
  return matrix;
}

Moments RandomMoments(size_t size, int64_t samples, uint64_t seed) {
  Matrix vectors = Product(RandomMatrix(static_cast<size_t>(samples), size, seed),
                           RandomMatrix(size, size, seed + 1));
  Moments moments{samples, std::vector<double>(size), {}};
  for (size_t s = 0; s < vectors.rows(); ++s) {
    for (size_t i = 0; i < size; ++i) {
      moments.mean[i] += vectors(s, i) / static_cast<double>(samples);
    }
  }
  for (size_t s = 0; s < vectors.rows(); ++s) {
    for (size_t i = 0; i < size; ++i) vectors(s, i) -= moments.mean[i];
  }
  Matrix covariance = TransposedProduct(vectors, vectors);
  for (double& value : covariance.values()) value /= static_cast<double>(samples);
  moments.covariance.assign(covariance.values().begin(), covariance.values().end());
  return moments;
}

double WorstDifference(const Graph& a, const Graph& b) {
  const std::vector<Array> inputs = RandomInputs(a, 1);
  const std::vector<Array> of_a = Interpret(a, inputs), of_b = Interpret(b, inputs);
  EXPECT_EQ(of_a.size(), of_b.size());
  double worst = 0, greatest = 1e-30;
  for (size_t i = 0; i < of_a.size(); ++i) {
    EXPECT_EQ(of_a[i].shape, of_b[i].shape);
    for (size_t k = 0; k < of_a[i].values.size(); ++k) {
      worst = std::max(worst, std::abs(of_a[i].values[k] - of_b[i].values[k]));
      greatest = std::max(greatest, std::abs(of_a[i].values[k]));
    }
  }
  return worst / greatest;
}

std::vector<Window> SpatialWindows() {
  return {
      {{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, {{3, 3}, {2, 1}, {1, 2}, {0, 2}, {1, 1}},
      {{5, 5}, {2, 2}, {1, 1}, {2, 2}, {2, 1}}, {{3, 1}, {1, 2}, {2, 1}, {2, 0}, {1, 0}},
      {{1, 3}, {2, 1}, {1, 1}, {0, 1}, {0, 0}}, {{3, 5}, {1, 1}, {1, 1}, {1, 0}, {0, 2}},
  };
}

Graph ConvNetwork(const Window& window, int64_t inputs, int64_t outputs) {
  NetworkBuilder b(1);
  b.graph.AddOutput(
      b.Add("conv", Conv{window, 1},
            {b.Input({2, inputs, 9, 8}),
             b.Constant("weight", {outputs, inputs, window.kernel[0], window.kernel[1]}),
             b.Constant("bias", {outputs})}));
  return std::move(b.graph);
}

double ErrorOf(const FactorVariant& variant, const Graph& graph, const Moments* input) {
  const WeightedLayer layer = FindWeightedLayer(graph, "conv");
  const Matrix kernel = KernelOf(graph, layer);
  return RelativeError(kernel, ComposedKernel(FittedFactors(variant, layer, kernel, input)), input);
}

double PlainErrorOf(const FactorVariant& variant, const Graph& graph, const Moments& input) {
  const WeightedLayer layer = FindWeightedLayer(graph, "conv");
  const Matrix kernel = KernelOf(graph, layer);
  const Matrix got = ComposedKernel(FittedFactors(variant, layer, kernel, nullptr));
  return RelativeError(kernel, got, &input);
}

std::vector<std::string> Refusals(const Variant& small, const Variant& large) {
  NetworkBuilder b(1);
  ValueId x = b.Convolve("conv", b.Input({1, 8, 5, 5}), 8);
  x = b.Convolve("grouped", x, 8, {.groups = 2});
  x = b.Convolve("pointwise", x, 8, {.kernel = 1});
  b.graph.AddOutput(b.Linear("linear", b.Flatten("flatten", x), 20));
  std::vector<std::string> reasons;
  const auto refuse = [&](const Variant& variant, const char* layer) {
    try {
      variant.Rewrite(b.graph, layer, {});
      reasons.emplace_back();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput);
      reasons.emplace_back(error.what());
    }
  };
  refuse(small, "grouped");
  refuse(small, "pointwise");
  refuse(small, "linear");
  refuse(large, "conv");
  return reasons;
}

}  // namespace fettle
