#include "fettle/network/linalg/matrix.h"

#include <cblas.h>

namespace fettle {
namespace {

int Int(size_t value) { return static_cast<int>(value); }

Matrix Gemm(CBLAS_TRANSPOSE transpose_a, CBLAS_TRANSPOSE transpose_b, const Matrix& a,
            const Matrix& b) {
  const bool is_a_transposed = transpose_a == CblasTrans,
             is_b_transposed = transpose_b == CblasTrans;
  const size_t rows = is_a_transposed ? a.columns() : a.rows();
  const size_t inner = is_a_transposed ? a.rows() : a.columns();
  const size_t columns = is_b_transposed ? b.rows() : b.columns();
  assert((is_b_transposed ? b.columns() : b.rows()) == inner);
  Matrix c(rows, columns);
  if (rows == 0 || columns == 0 || inner == 0) return c;
  cblas_dgemm(CblasRowMajor, transpose_a, transpose_b, Int(rows), Int(columns), Int(inner), 1.0,
              a.values().data(), Int(a.columns()), b.values().data(), Int(b.columns()), 0.0,
              c.values().data(), Int(columns));
  return c;
}

}  // namespace

Matrix Matrix::Identity(size_t n) {
  Matrix identity(n, n);
  for (size_t i = 0; i < n; ++i) identity(i, i) = 1;
  return identity;
}

Matrix Matrix::Transposed() const {
  Matrix transposed(columns_, rows_);
  for (size_t r = 0; r < rows_; ++r) {
    for (size_t c = 0; c < columns_; ++c) transposed(c, r) = (*this)(r, c);
  }
  return transposed;
}

Matrix Matrix::Columns(size_t first, size_t count) const {
  assert(first + count <= columns_);
  Matrix part(rows_, count);
  for (size_t r = 0; r < rows_; ++r) {
    for (size_t c = 0; c < count; ++c) part(r, c) = (*this)(r, first + c);
  }
  return part;
}

Matrix Matrix::Reshaped(size_t rows, size_t columns) && {
  return {rows, columns, std::move(values_)};
}

double Matrix::SquaredNorm() const {
  double sum = 0;
  for (const double value : values_) sum += value * value;
  return sum;
}

Matrix operator-(const Matrix& a, const Matrix& b) {
  assert(a.rows() == b.rows() && a.columns() == b.columns());
  Matrix difference = a;
  for (size_t i = 0; i < difference.values().size(); ++i) difference.values()[i] -= b.values()[i];
  return difference;
}

Matrix Product(const Matrix& a, const Matrix& b) { return Gemm(CblasNoTrans, CblasNoTrans, a, b); }
Matrix ProductWithTransposed(const Matrix& a, const Matrix& b) {
  return Gemm(CblasNoTrans, CblasTrans, a, b);
}
Matrix TransposedProduct(const Matrix& a, const Matrix& b) {
  return Gemm(CblasTrans, CblasNoTrans, a, b);
}

}  // namespace fettle
