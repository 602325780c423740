#pragma once

#include <cassert>
#include <cstddef>
#include <span>
#include <vector>

namespace fettle {

// A dense matrix of doubles, row-major.
class Matrix {
 public:
  Matrix() = default;
  Matrix(size_t rows, size_t columns) : rows_(rows), columns_(columns), values_(rows * columns) {}
  Matrix(size_t rows, size_t columns, std::vector<double> values)
      : rows_(rows), columns_(columns), values_(std::move(values)) {
    assert(values_.size() == rows * columns);
  }

  size_t rows() const { return rows_; }
  size_t columns() const { return columns_; }

  double& operator()(size_t row, size_t column) { return values_[row * columns_ + column]; }
  double operator()(size_t row, size_t column) const { return values_[row * columns_ + column]; }

  std::span<double> row(size_t r) { return {values_.data() + r * columns_, columns_}; }
  std::span<const double> row(size_t r) const { return {values_.data() + r * columns_, columns_}; }

  std::span<double> values() { return values_; }
  std::span<const double> values() const { return values_; }

  static Matrix Identity(size_t n);

  Matrix Transposed() const;
  // So many columns from the first one on.
  Matrix Columns(size_t first, size_t count) const;
  // The same numbers, in the same order, in other rows and columns.
  Matrix Reshaped(size_t rows, size_t columns) &&;

  double SquaredNorm() const;

 private:
  size_t rows_ = 0, columns_ = 0;
  std::vector<double> values_;
};

Matrix operator-(const Matrix& a, const Matrix& b);  // of equal extents

// a b, a b^T and a^T b. Extents must fit.
Matrix Product(const Matrix& a, const Matrix& b);
Matrix ProductWithTransposed(const Matrix& a, const Matrix& b);
Matrix TransposedProduct(const Matrix& a, const Matrix& b);

}  // namespace fettle
