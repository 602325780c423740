#include "fettle/network/variants/least_squares.h"

#include <algorithm>

#include "fettle/network/linalg/decompositions.h"

namespace fettle {

Matrix CovarianceOf(const Moments& moments) {
  return {moments.size(), moments.size(), moments.covariance};
}

Matrix LeastSquaresChange(const Matrix& missed, const Matrix& seen, Matrix normal,
                          int64_t samples) {
  const size_t n = normal.rows();
  double mean = 0;
  for (size_t i = 0; i < n; ++i) mean += normal(i, i) / static_cast<double>(n);
  const double share =
      1e-6 + 0.01 * static_cast<double>(n) / static_cast<double>(std::max<int64_t>(1, samples));
  for (size_t i = 0; i < n; ++i) normal(i, i) += share * mean;
  return SolvePositive(normal, Product(missed, seen).Transposed()).Transposed();
}

}  // namespace fettle
