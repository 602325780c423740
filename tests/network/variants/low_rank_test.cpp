#include "fettle/network/variants/low_rank.h"

#include <gtest/gtest.h>

#include <cmath>
#include <utility>

#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/factor.h"
#include "tests/network/variants/factor_support.h"

namespace fettle {
namespace {

// Eckart and Young: what is lost is the rest of the spectrum, by either side.
TEST(LowRankTest, LosesTheLeastSingularValues) {
  for (const auto& [rows, columns] : {std::pair{7, 12}, {12, 7}, {6, 6}}) {
    const Matrix w = RandomMatrix(static_cast<size_t>(rows), static_cast<size_t>(columns), 1);
    const std::vector<double> spectrum = SpectrumOf(w);
    double left = w.SquaredNorm();
    for (size_t rank = 1; rank <= 6; ++rank) {
      left -= spectrum[rank - 1];
      const LowRank parts = LowRankOf(w, nullptr, rank);
      EXPECT_NEAR((w - Product(parts.left, parts.right)).SquaredNorm(), left, 1e-9);
      const Matrix one = TransposedProduct(parts.left, parts.left);
      EXPECT_LT((one - Matrix::Identity(rank)).SquaredNorm(), 1e-18);
    }
  }
}

// In the metric of a covariance C = R R^T it is the rest of the spectrum of W R.
TEST(LowRankTest, LosesTheLeastInTheMetricOfTheInputs) {
  for (const auto& [rows, columns] : {std::pair{5, 8}, {8, 5}}) {
    const auto n = static_cast<size_t>(columns);
    const Matrix w = RandomMatrix(static_cast<size_t>(rows), n, 1);
    const Moments input = RandomMoments(n, 100, 2);
    const Matrix covariance = {n, n, input.covariance};
    EigenDecomposition eigen = SymmetricEigen(covariance);
    for (size_t i = 0; i < n; ++i) {
      for (size_t j = 0; j < n; ++j) eigen.vectors(i, j) *= std::sqrt(eigen.values[j]);
    }
    const std::vector<double> spectrum = SpectrumOf(Product(w, eigen.vectors));
    double whole = 0, left = 0;
    for (size_t i = 0; i < spectrum.size(); ++i) {
      whole += spectrum[i];
      if (i >= 3) left += spectrum[i];
    }
    const LowRank parts = LowRankOf(w, &covariance, 3);
    const Matrix got = Product(parts.left, parts.right);
    EXPECT_NEAR(RelativeError(w, got, &input), left / whole, 1e-9);
  }
}

TEST(LowRankTest, ARankThatIsNotThereIsZero) {
  const Matrix w = Product(RandomMatrix(9, 2, 1), RandomMatrix(2, 5, 2));
  const LowRank parts = LowRankOf(w, nullptr, 4);
  EXPECT_LT((w - Product(parts.left, parts.right)).SquaredNorm(), 1e-18);
  const LowRank none = LowRankOf(Matrix(9, 5), nullptr, 2);
  EXPECT_EQ(Product(none.left, none.right).SquaredNorm(), 0);
}

TEST(LowRankTest, BlocksOfACovarianceAreNeverSingular) {
  const Moments input = RandomMoments(6, 50, 3);
  const Matrix block = CovarianceBlock(input, 2, 3);
  EXPECT_NEAR(block(0, 1), input.covariance[2 * 6 + 3], 1e-12);
  EXPECT_GT(block(1, 1), input.covariance[3 * 6 + 3]);
  const Moments dead = {10, std::vector<double>(4), std::vector<double>(16)};
  EXPECT_EQ((CovarianceBlock(dead, 1, 3) - Matrix::Identity(3)).SquaredNorm(), 0);
}

}  // namespace
}  // namespace fettle
