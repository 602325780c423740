#include "fettle/network/variants/unfolding.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <utility>

#include "fettle/network/linalg/decompositions.h"

namespace fettle {
namespace {

// A share of the mean: directions with less are as if they had that much.
constexpr double kLeastVariance = 1e-6;

// a = U (U^T M), U the first eigenvectors of M M^T.
RankFactors ByRows(const Matrix& unfolded, size_t rank) {
  const Matrix basis =
      SymmetricEigen(ProductWithTransposed(unfolded, unfolded)).vectors.Columns(0, rank);
  return {basis.Transposed(), TransposedProduct(basis, unfolded)};
}

// a = (M V) V^T, V the first eigenvectors of M^T C M.
RankFactors ByColumns(const Matrix& unfolded, size_t rank, const Matrix* covariance) {
  const Matrix seen = covariance == nullptr ? unfolded : Product(*covariance, unfolded);
  const Matrix basis = SymmetricEigen(TransposedProduct(unfolded, seen)).vectors.Columns(0, rank);
  Matrix rest = basis.Transposed();
  return {ProductWithTransposed(rest, unfolded), std::move(rest)};
}

}  // namespace

Matrix Unfolded(const Matrix& kernel, size_t inner) {
  assert(kernel.columns() % inner == 0);
  Matrix unfolded(kernel.columns() / inner, kernel.rows() * inner);
  for (size_t t = 0; t < kernel.rows(); ++t) {
    for (size_t p = 0; p < unfolded.rows(); ++p) {
      for (size_t k = 0; k < inner; ++k) unfolded(p, t * inner + k) = kernel(t, p * inner + k);
    }
  }
  return unfolded;
}

Matrix Folded(const Matrix& unfolded, size_t inner) { return Unfolded(unfolded, inner); }

Matrix MeanCovariance(const Moments& input, size_t inner) {
  const size_t n = input.size(), size = n / inner;
  Matrix mean(size, size);
  for (size_t p = 0; p < size; ++p) {
    for (size_t q = 0; q < size; ++q) {
      double sum = 0;
      for (size_t k = 0; k < inner; ++k) {
        sum += input.covariance[(p * inner + k) * n + q * inner + k];
      }
      mean(p, q) = sum / static_cast<double>(inner);
    }
  }
  return mean;
}

Matrix Whitening::Whitened(const Matrix& kernel, size_t inner) const {
  return Folded(TransposedProduct(root, Unfolded(kernel, inner)), inner);
}

Whitening WhiteningOf(const Moments& input, size_t inner) {
  const EigenDecomposition eigen = SymmetricEigen(MeanCovariance(input, inner));
  const size_t n = eigen.values.size();
  double mean = 0;
  for (const double value : eigen.values) mean += std::max(0.0, value) / static_cast<double>(n);
  if (!(mean > 0)) mean = 1;
  Whitening whitening{Matrix(n, n), Matrix(n, n)};
  for (size_t k = 0; k < n; ++k) {
    const double deviation = std::sqrt(std::max(eigen.values[k], kLeastVariance * mean));
    for (size_t i = 0; i < n; ++i) {
      whitening.root(i, k) = eigen.vectors(i, k) * deviation;
      whitening.inverse(k, i) = eigen.vectors(i, k) / deviation;
    }
  }
  return whitening;
}

RankFactors BestOfRank(const Matrix& unfolded, size_t rank, const Moments* input, size_t inner) {
  assert(rank <= std::min(unfolded.rows(), unfolded.columns()));
  if (unfolded.columns() <= unfolded.rows()) {
    if (input == nullptr) return ByColumns(unfolded, rank, nullptr);
    const Matrix covariance = MeanCovariance(*input, inner);
    return ByColumns(unfolded, rank, &covariance);
  }
  if (input == nullptr) return ByRows(unfolded, rank);
  const Whitening whitening = WhiteningOf(*input, inner);
  RankFactors factors = ByRows(TransposedProduct(whitening.root, unfolded), rank);
  factors.first = Product(factors.first, whitening.inverse);
  return factors;
}

}  // namespace fettle
