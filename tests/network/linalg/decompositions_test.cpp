#include "fettle/network/linalg/decompositions.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "fettle/core/error.h"
#include "fettle/core/random.h"

namespace fettle {
namespace {

Matrix RandomMatrix(size_t rows, size_t columns, uint64_t seed) {
  Random random(seed);
  Matrix matrix(rows, columns);
  for (double& value : matrix.values()) value = random.Normal();
  return matrix;
}

Matrix Diagonal(const std::vector<double>& values) {
  Matrix diagonal(values.size(), values.size());
  for (size_t i = 0; i < values.size(); ++i) diagonal(i, i) = values[i];
  return diagonal;
}

double Distance(const Matrix& a, const Matrix& b) { return std::sqrt((a - b).SquaredNorm()); }

TEST(MatrixTest, ProductsAgreeWithTheDefinition) {
  const Matrix a(2, 3, {1, 2, 3, 4, 5, 6}), b(3, 2, {7, 8, 9, 10, 11, 12});
  const Matrix product(2, 2, {58, 64, 139, 154});
  EXPECT_EQ(Distance(Product(a, b), product), 0);
  EXPECT_EQ(Distance(ProductWithTransposed(a, b.Transposed()), product), 0);
  EXPECT_EQ(Distance(TransposedProduct(a.Transposed(), b), product), 0);
  EXPECT_EQ(a.Columns(1, 2)(1, 0), 5);
  EXPECT_EQ(a.SquaredNorm(), 91);
}

TEST(DecompositionsTest, EigenvaluesDescendAndVectorsGiveTheMatrixBack) {
  const Matrix half = RandomMatrix(7, 5, 1);
  const Matrix a = ProductWithTransposed(half, half);
  const EigenDecomposition eigen = SymmetricEigen(a);
  EXPECT_TRUE(std::ranges::is_sorted(eigen.values, std::greater()));
  const Matrix scaled = Product(eigen.vectors, Diagonal(eigen.values));
  EXPECT_LT(Distance(ProductWithTransposed(scaled, eigen.vectors), a), 1e-12);
  EXPECT_LT(Distance(TransposedProduct(eigen.vectors, eigen.vectors), Matrix::Identity(7)), 1e-12);
  const std::vector<double> values = SymmetricEigenvalues(a);
  for (size_t i = 0; i < 7; ++i) EXPECT_NEAR(values[i], eigen.values[i], 1e-12);
}

TEST(DecompositionsTest, SingularValuesGiveTheMatrixBack) {
  for (const auto& [rows, columns] : {std::pair(6, 4), std::pair(4, 6)}) {
    const Matrix a = RandomMatrix(static_cast<size_t>(rows), static_cast<size_t>(columns), 2);
    const SingularDecomposition svd = Svd(a);
    const Matrix scaled = Product(svd.left, Diagonal(svd.values));
    EXPECT_LT(Distance(Product(scaled, svd.right_transposed), a), 1e-12);
    const std::vector<double> spectrum = SpectrumOf(a);
    ASSERT_EQ(spectrum.size(), 4u);
    for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(spectrum[i], svd.values[i] * svd.values[i], 1e-11);
  }
}

TEST(DecompositionsTest, PositiveSystemsAreSolvedAndSingularOnesApproximately) {
  const Matrix half = RandomMatrix(5, 8, 3), b = RandomMatrix(5, 2, 4);
  const Matrix a = ProductWithTransposed(half, half);
  EXPECT_LT(Distance(Product(a, SolvePositive(a, b)), b), 1e-10);
  const Matrix thin = RandomMatrix(5, 2, 5);
  const Matrix singular = ProductWithTransposed(thin, thin);
  const Matrix in_range = Product(singular, RandomMatrix(5, 1, 6));
  EXPECT_LT(Distance(Product(singular, SolvePositive(singular, in_range)), in_range), 1e-4);
}

TEST(DecompositionsTest, NumbersThatAreNotFiniteAreRefused) {
  Matrix a = Matrix::Identity(3);
  a(1, 1) = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THROW(SymmetricEigen(a), Error);
  EXPECT_THROW(Svd(a), Error);
  EXPECT_THROW(SolvePositive(a, Matrix(3, 1)), Error);
}

}  // namespace
}  // namespace fettle
