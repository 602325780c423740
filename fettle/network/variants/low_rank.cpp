#include "fettle/network/variants/low_rank.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "fettle/network/linalg/decompositions.h"

namespace fettle {
namespace {

// Below this share of the greatest, an eigenvalue of a Gram matrix is rounding.
constexpr double kRounding = 1e-14;

// R of C = R R^T.
Matrix RootOf(const Matrix& covariance) {
  EigenDecomposition eigen = SymmetricEigen(covariance);
  for (size_t i = 0; i < eigen.vectors.rows(); ++i) {
    for (size_t j = 0; j < eigen.vectors.columns(); ++j) {
      eigen.vectors(i, j) *= std::sqrt(std::max(0.0, eigen.values[j]));
    }
  }
  return std::move(eigen.vectors);
}

// The eigenvectors of W C W^T, m x m.
LowRank FromOutputs(const Matrix& w, const Matrix* covariance, size_t rank) {
  const Matrix gram = covariance == nullptr ? ProductWithTransposed(w, w)
                                            : ProductWithTransposed(Product(w, *covariance), w);
  LowRank parts;
  parts.left = SymmetricEigen(gram).vectors.Columns(0, rank);
  parts.right = TransposedProduct(parts.left, w);
  return parts;
}

// With C = R R^T (R = 1 without one) and the eigenvectors V, eigenvalues s^2 of R^T W^T W R, p x p:
// left = W R V / s.
LowRank FromInputs(const Matrix& w, const Matrix* covariance, size_t rank) {
  const Matrix gram = TransposedProduct(w, w);
  const Matrix root = covariance == nullptr ? Matrix() : RootOf(*covariance);
  const Matrix gram_root = covariance == nullptr ? gram : Product(gram, root);
  const EigenDecomposition eigen =
      SymmetricEigen(covariance == nullptr ? gram : TransposedProduct(root, gram_root));
  Matrix directions = eigen.vectors.Columns(0, rank);
  for (size_t k = 0; k < rank; ++k) {
    const double value = eigen.values[k];
    const double scale =
        value > 0 && value > kRounding * eigen.values[0] ? 1 / std::sqrt(value) : 0;
    for (size_t i = 0; i < directions.rows(); ++i) directions(i, k) *= scale;
  }
  LowRank parts;
  parts.left = Product(w, covariance == nullptr ? directions : Product(root, directions));
  parts.right = ProductWithTransposed(directions.Transposed(), gram_root);
  return parts;
}

}  // namespace

LowRank LowRankOf(const Matrix& w, const Matrix* covariance, size_t rank) {
  assert(rank <= std::min(w.rows(), w.columns()));
  return w.rows() <= w.columns() ? FromOutputs(w, covariance, rank)
                                 : FromInputs(w, covariance, rank);
}

Matrix CovarianceBlock(const Moments& moments, size_t first, size_t count) {
  Matrix block(count, count);
  double mean = 0;
  for (size_t i = 0; i < count; ++i) {
    const double* const row = moments.covariance.data() + (first + i) * moments.size() + first;
    std::copy(row, row + count, block.row(i).begin());
    mean += block(i, i) / static_cast<double>(count);
  }
  if (!(mean > 0)) return Matrix::Identity(count);
  for (size_t i = 0; i < count; ++i) block(i, i) += 1e-6 * mean;
  return block;
}

}  // namespace fettle
