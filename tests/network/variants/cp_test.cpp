#include "fettle/network/variants/cp.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fettle/network/variants/cp_components.h"
#include "tests/network/variants/factor_support.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

CpComponents RandomComponents(size_t inputs, const Window& window, size_t outputs, size_t rank,
                              uint64_t seed) {
  return {RandomMatrix(inputs, rank, seed),
          RandomMatrix(static_cast<size_t>(window.kernel[0]), rank, seed + 1),
          RandomMatrix(static_cast<size_t>(window.kernel[1]), rank, seed + 2),
          RandomMatrix(outputs, rank, seed + 3)};
}

double RelativeErrorOf(const Matrix& kernel, const CpComponents& components) {
  return RelativeError(kernel, components.Kernel(), nullptr);
}

// Sums of rank-one terms are found again, and more terms than there are do no harm.
TEST(CpTest, AKernelOfFewComponentsIsRecovered) {
  for (uint64_t seed = 0; seed < 5; ++seed) {
    for (const Window& window : SpatialWindows()) {
      const auto height = static_cast<size_t>(window.kernel[0]);
      const auto width = static_cast<size_t>(window.kernel[1]);
      const Matrix kernel = RandomComponents(12, window, 10, 4, 10 * seed).Kernel();
      for (const size_t rank : {4u, 5u, 8u}) {
        EXPECT_LT(RelativeErrorOf(kernel, BestComponents(kernel, height, width, rank, {})), 1e-3)
            << height << "x" << width << " " << rank << " " << seed;
      }
    }
  }
}

// A limit that leaves too few sweeps to the whole kernel has them made on its core.
TEST(CpTest, AKernelOfFewComponentsIsRecoveredFromItsCore) {
  const Matrix kernel = RandomComponents(40, SpatialWindows()[0], 32, 4, 5).Kernel();
  const CpLimits limits = {.multiplications = 1e7};
  EXPECT_LT(RelativeErrorOf(kernel, BestComponents(kernel, 3, 3, 4, limits)), 1e-3);
  EXPECT_LT(RelativeErrorOf(kernel, BestComponents(kernel, 3, 3, 6, limits)), 1e-3);
}

TEST(CpTest, TheLayerIsComputedByItsComponents) {
  for (const Window& window : SpatialWindows()) {
    const Graph graph = ConvNetwork(window, 6, 5);
    const WeightedLayer layer = FindWeightedLayer(graph, "conv");
    const CpVariant variant(4);
    const std::vector<Factor> factors = variant.Factorise(layer, KernelOf(graph, layer), nullptr);
    const std::vector<Factor> whole = {{{5, 6, 1, window}, ComposedKernel(factors)}};
    EXPECT_LT(WorstDifference(variant.Rewrite(graph, "conv", {}),
                              WithFactors(graph, layer, whole, BiasOf(graph, layer))),
              1e-5);
  }
}

TEST(CpTest, ManyComponentsMakeAnyKernelAndFewAreOrthogonalOrBetter) {
  const Matrix kernel = RandomMatrix(6, size_t{5} * 9, 3);
  EXPECT_LT(RelativeErrorOf(kernel, BestComponents(kernel, 3, 3, 45, {})), 1e-6);
  double last = 1;
  for (const size_t rank : {2u, 4u, 8u, 16u, 32u}) {
    const double error = RelativeErrorOf(kernel, BestComponents(kernel, 3, 3, rank, {}));
    EXPECT_LT(error, last) << rank;
    last = error;
  }
}

TEST(CpTest, DataDoNotHurt) {
  for (const Window& window : SpatialWindows()) {
    const Graph graph = ConvNetwork(window, 8, 7);
    const auto taps = static_cast<size_t>(window.kernel[0] * window.kernel[1]);
    const Moments input = RandomMoments(8 * taps, 500, 3);
    for (const int64_t rank : {2, 5, 12}) {
      const CpVariant variant(rank);
      EXPECT_LT(ErrorOf(variant, graph, &input), PlainErrorOf(variant, graph, input));
    }
  }
}

// a o a o b + a o b o a + b o a o a has no best approximation of rank 2: ever greater components
// that cancel come ever nearer to it. Correction brings them down, at no greater error.
TEST(CpTest, CorrectionLowersComponentsThatCancelAtNoGreaterError) {
  const Matrix a = RandomMatrix(8, 1, 1), b = RandomMatrix(8, 1, 2), rows = RandomMatrix(3, 2, 3);
  Matrix kernel(8, size_t{8} * 9);
  for (size_t t = 0; t < 8; ++t) {
    for (size_t s = 0; s < 8; ++s) {
      for (size_t i = 0; i < 3; ++i) {
        for (size_t j = 0; j < 3; ++j) {
          kernel(t, (s * 3 + i) * 3 + j) =
              (a(t, 0) * a(s, 0) * rows(i, 1) + a(t, 0) * b(s, 0) * rows(i, 0) +
               b(t, 0) * a(s, 0) * rows(i, 0)) *
              rows(j, 1);
        }
      }
    }
  }
  // (a + h b)^3 / h - a^3 / h: nearer as h goes to 0.
  const double h = 1e-2;
  CpComponents components{Matrix(8, 2), Matrix(3, 2), Matrix(3, 2), Matrix(8, 2)};
  for (size_t k = 0; k < 8; ++k) {
    components.inputs(k, 0) = a(k, 0) + h * b(k, 0);
    components.inputs(k, 1) = a(k, 0);
    components.outputs(k, 0) = (a(k, 0) + h * b(k, 0)) / h;
    components.outputs(k, 1) = -a(k, 0) / h;
  }
  for (size_t i = 0; i < 3; ++i) {
    components.rows(i, 0) = rows(i, 0) + h * rows(i, 1);
    components.rows(i, 1) = rows(i, 0);
    components.columns(i, 0) = components.columns(i, 1) = rows(i, 1);
  }
  const double energy = components.ComponentEnergy(), error = RelativeErrorOf(kernel, components);
  ASSERT_GT(energy, 1000 * kernel.SquaredNorm());
  ASSERT_LT(error, 1e-2);
  LowerComponentEnergy(kernel, 20, &components);
  EXPECT_LE(RelativeErrorOf(kernel, components), error * (1 + 1e-6) + 1e-12);
  EXPECT_LT(components.ComponentEnergy(), 0.5 * energy);
}

TEST(CpTest, FactorsAreBalanced) {
  CpComponents c = RandomComponents(5, SpatialWindows()[0], 6, 3, 1);
  const Matrix kernel = c.Kernel();
  c.Balance();
  EXPECT_LT(RelativeErrorOf(kernel, c), 1e-20);
  for (size_t r = 0; r < 3; ++r) {
    const double length = c.inputs.Columns(r, 1).SquaredNorm();
    for (const Matrix* factor : {&c.rows, &c.columns, &c.outputs}) {
      EXPECT_NEAR(factor->Columns(r, 1).SquaredNorm(), length, 1e-9 * length);
    }
  }
}

TEST(CpTest, IsRefusedWithAReason) {
  EXPECT_THAT(Refusals(CpVariant(2), CpVariant(73)),
              ElementsAre(HasSubstr("in groups"), HasSubstr("1x1: svd is for that"),
                          HasSubstr("no convolution"), HasSubstr("72 at most")));
}

}  // namespace
}  // namespace fettle
