#include "fettle/network/linalg/decompositions.h"

#include <lapacke.h>

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"

namespace fettle {
namespace {

lapack_int Int(size_t value) { return static_cast<lapack_int>(value); }

void CheckFinite(const Matrix& a) {
  for (const double value : a.values()) {
    if (!std::isfinite(value))
      throw BadInput("a matrix to be decomposed has values that are not finite");
  }
}

void Check(lapack_int result, const char* routine) {
  if (result != 0) throw Error(ErrorKind::kInternal, Text("LAPACK's ", routine, ": ", result));
}

}  // namespace

EigenDecomposition SymmetricEigen(Matrix a) {
  assert(a.rows() == a.columns());
  CheckFinite(a);
  const size_t n = a.rows();
  EigenDecomposition eigen{std::vector<double>(n), Matrix(n, n)};
  std::vector<double> ascending(n);
  Check(LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'V', 'L', Int(n), a.values().data(), Int(n),
                       ascending.data()),
        "dsyevd");
  for (size_t k = 0; k < n; ++k) {
    eigen.values[k] = ascending[n - 1 - k];
    for (size_t i = 0; i < n; ++i) eigen.vectors(i, k) = a(i, n - 1 - k);
  }
  return eigen;
}

std::vector<double> SymmetricEigenvalues(Matrix a) {
  assert(a.rows() == a.columns());
  CheckFinite(a);
  const size_t n = a.rows();
  std::vector<double> values(n);
  Check(
      LAPACKE_dsyevd(LAPACK_ROW_MAJOR, 'N', 'L', Int(n), a.values().data(), Int(n), values.data()),
      "dsyevd");
  std::ranges::reverse(values);
  return values;
}

SingularDecomposition Svd(Matrix a) {
  CheckFinite(a);
  const size_t m = a.rows(), n = a.columns(), k = std::min(m, n);
  SingularDecomposition svd{Matrix(m, k), std::vector<double>(k), Matrix(k, n)};
  Check(LAPACKE_dgesdd(LAPACK_ROW_MAJOR, 'S', Int(m), Int(n), a.values().data(), Int(n),
                       svd.values.data(), svd.left.values().data(), Int(k),
                       svd.right_transposed.values().data(), Int(n)),
        "dgesdd");
  return svd;
}

std::vector<double> SpectrumOf(const Matrix& a) {
  std::vector<double> values = SymmetricEigenvalues(
      a.rows() <= a.columns() ? ProductWithTransposed(a, a) : TransposedProduct(a, a));
  for (double& value : values) value = std::max(0.0, value);
  return values;
}

Matrix SolvePositive(const Matrix& a, Matrix b) {
  assert(a.rows() == a.columns() && a.rows() == b.rows());
  CheckFinite(a);
  CheckFinite(b);
  const size_t n = a.rows();
  double mean_diagonal = 0;
  for (size_t i = 0; i < n; ++i) mean_diagonal += a(i, i) / static_cast<double>(n);
  if (!(mean_diagonal > 0)) mean_diagonal = 1;
  for (double share = 0; share < 1e6; share = share == 0 ? 1e-12 : 100 * share) {
    Matrix factor = a;
    for (size_t i = 0; i < n; ++i) factor(i, i) += share * mean_diagonal;
    if (LAPACKE_dpotrf(LAPACK_ROW_MAJOR, 'L', Int(n), factor.values().data(), Int(n)) != 0)
      continue;
    Check(LAPACKE_dpotrs(LAPACK_ROW_MAJOR, 'L', Int(n), Int(b.columns()), factor.values().data(),
                         Int(n), b.values().data(), Int(b.columns())),
          "dpotrs");
    return b;
  }
  throw Error(ErrorKind::kInternal, "a matrix is far from positive definite");
}

}  // namespace fettle
