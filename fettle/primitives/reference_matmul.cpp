#include <algorithm>

#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/reference_broadcast.h"
#include "fettle/primitives/reference_operators.h"

namespace fettle {
namespace {

// A matrix within an operand: element (i, j) is data[i * row + j * column].
struct Matrix {
  const float* data;
  int64_t row, column;
};

Matrix MatrixOf(const FloatOperand& operand, bool is_transposed) {
  const int64_t columns = operand.shape[1];
  return {operand.values.data(), is_transposed ? 1 : columns, is_transposed ? columns : 1};
}

// y = scale * a * b, y row-major of rows x columns.
void Multiply(const Matrix& a, const Matrix& b, int64_t rows, int64_t inner, int64_t columns,
              double scale, double* y) {
#pragma omp parallel for schedule(static) if (IsWorthThreads({rows, columns}, inner))
  for (int64_t i = 0; i < rows * columns; ++i) {
    const float* p = a.data + i / columns * a.row;
    const float* q = b.data + i % columns * b.column;
    double sum = 0;
    for (int64_t k = 0; k < inner; ++k) sum += double{p[k * a.column]} * double{q[k * b.row]};
    y[i] = scale * sum;
  }
}

}  // namespace

void ReferenceCompute(const InnerProduct&, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  Multiply(MatrixOf(operands[0], false), MatrixOf(operands[1], true), shape[0],
           operands[0].shape[1], shape[1], 1, y.data());
  if (operands.size() < 3) return;
  for (size_t i = 0; i < y.size(); ++i) {
    y[i] += operands[2].values[i % static_cast<size_t>(shape[1])];
  }
}

void ReferenceCompute(const Gemm& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const int64_t inner = operands[0].shape[op.transpose_a ? 0 : 1];
  Multiply(MatrixOf(operands[0], op.transpose_a), MatrixOf(operands[1], op.transpose_b), shape[0],
           inner, shape[1], op.alpha, y.data());
  if (operands.size() < 3) return;
  const BroadcastOffsets offset_of(operands[2].shape, shape);
  for (int64_t i = 0; i < ElementCount(shape); ++i) {
    y[i] += double{op.beta} * double{operands[2].values[offset_of(i)]};
  }
}

void ReferenceCompute(const MatMul&, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  Shape a = operands[0].shape, b = operands[1].shape;
  const int64_t rows = a.size() == 1 ? 1 : a[a.size() - 2];
  const int64_t inner = a.back();
  const int64_t columns = b.size() == 1 ? 1 : b.back();
  a.resize(a.size() - std::min<size_t>(a.size(), 2));
  b.resize(b.size() - std::min<size_t>(b.size(), 2));
  // The result's first axes are the operands' leading axes, broadcast.
  Shape leading = shape;
  leading.resize(std::max(a.size(), b.size()));
  const BroadcastOffsets a_matrix(a, leading), b_matrix(b, leading);
  for (int64_t i = 0; i < ElementCount(leading); ++i) {
    Multiply({operands[0].values.data() + a_matrix(i) * rows * inner, inner, 1},
             {operands[1].values.data() + b_matrix(i) * inner * columns, columns, 1}, rows, inner,
             columns, 1, y.data() + i * rows * columns);
  }
}

}  // namespace fettle
