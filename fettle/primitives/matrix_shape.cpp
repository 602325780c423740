#include "fettle/primitives/matrix_shape.h"

#include <algorithm>
#include <cassert>
#include <variant>

#include "fettle/core/error.h"
#include "fettle/primitives/layer_view.h"

namespace fettle {
namespace {

bool IsMatrixProduct(const Op& op) {
  return std::holds_alternative<Gemm>(op) || std::holds_alternative<MatMul>(op) ||
         std::holds_alternative<InnerProduct>(op);
}

// The leading axes, filled up with ones in front to `rank`.
Shape LeadingOf(const Shape& shape, size_t rank) {
  const size_t own = shape.size() < 2 ? 0 : shape.size() - 2;
  Shape leading(rank - own, 1);
  leading.insert(leading.end(), shape.begin(), shape.begin() + static_cast<int64_t>(own));
  return leading;
}

// False where the axes cannot be broadcast together.
bool Broadcast(const Shape& a, const Shape& b, Shape* result) {
  result->clear();
  for (size_t axis = 0; axis < a.size(); ++axis) {
    if (a[axis] != b[axis] && a[axis] != 1 && b[axis] != 1) return false;
    result->push_back(a[axis] == 1 ? b[axis] : a[axis]);
  }
  return true;
}

// False where the inner extents differ or the leading axes do not fit.
bool Fit(const LayerSpec& spec, MatrixShape* matrix) {
  const std::vector<TensorType> operands = OperandTypes(spec);
  const Shape &a = operands[0].shape, &b = operands[1].shape;
  if (const auto* gemm = std::get_if<Gemm>(&spec.op)) {
    matrix->transpose_a = gemm->transpose_a;
    matrix->transpose_b = gemm->transpose_b;
  } else {
    matrix->transpose_b = std::holds_alternative<InnerProduct>(spec.op);
  }
  const size_t rank = std::max({a.size(), b.size(), size_t{2}}) - 2;
  matrix->a_leading = LeadingOf(a, rank);
  matrix->b_leading = LeadingOf(b, rank);
  matrix->rows = a.size() < 2 ? 1 : a[a.size() - 2];
  matrix->inner = a.back();
  if (matrix->transpose_a) std::swap(matrix->rows, matrix->inner);
  int64_t inner = b.size() < 2 ? b[0] : b[b.size() - 2];
  matrix->columns = b.size() < 2 ? 1 : b.back();
  if (matrix->transpose_b) std::swap(inner, matrix->columns);
  return inner == matrix->inner &&
         Broadcast(matrix->a_leading, matrix->b_leading, &matrix->leading);
}

// What the operator makes of it, with the axes that a vector does not have left out.
Shape ResultShape(const LayerSpec& spec, const MatrixShape& matrix) {
  const std::vector<TensorType> operands = OperandTypes(spec);
  Shape shape = matrix.leading;
  if (operands[0].shape.size() > 1) shape.push_back(matrix.rows);
  if (operands[1].shape.size() > 1) shape.push_back(matrix.columns);
  return shape;
}

Support AddendSupport(const LayerSpec& spec, const Shape& addend, const MatrixShape& matrix) {
  if (std::holds_alternative<MatMul>(spec.op)) return Support::No("a third operand");
  if (std::holds_alternative<InnerProduct>(spec.op)) {
    if (addend == Shape{matrix.columns}) return Support::Yes();
    return Support::No(Text("bias ", ShapeText(addend), " does not fit"));
  }
  Shape padded = addend, result;
  if (padded.size() > 2) return Support::No("addend of more than 2 axes");
  padded.insert(padded.begin(), 2 - padded.size(), 1);
  const Shape whole = {matrix.rows, matrix.columns};
  if (!Broadcast(padded, whole, &result) || result != whole) {
    return Support::No(Text("addend ", ShapeText(addend), " does not fit"));
  }
  return Support::Yes();
}

}  // namespace

Support MatrixShapeSupport(const LayerSpec& spec) {
  if (!IsMatrixProduct(spec.op))
    return Support::No(Text(NameOf(spec.op), " multiplies no matrices"));
  if (spec.adds_residual && (spec.inputs.empty() || spec.inputs.back() != spec.output)) {
    return Support::No("residual of another type than the output's");
  }
  const std::vector<TensorType> operands = OperandTypes(spec);
  if (operands.size() < 2 || operands.size() > 3) {
    return Support::No(Text(operands.size(), " operands: 2 or 3 are supported"));
  }
  for (size_t i = 0; i < 2; ++i) {
    const Shape& shape = operands[i].shape;
    const bool is_matrix = shape.size() == 2;
    if (!is_matrix && (shape.empty() || !std::holds_alternative<MatMul>(spec.op))) {
      return Support::No(Text("operand ", ShapeText(shape), " is no matrix"));
    }
  }
  MatrixShape matrix;
  if (!Fit(spec, &matrix)) {
    return Support::No(Text(ShapeText(operands[0].shape), " and ", ShapeText(operands[1].shape),
                            " do not fit one another"));
  }
  if (const Shape result = ResultShape(spec, matrix); spec.output.shape != result) {
    return Support::No(
        Text("output ", ShapeText(spec.output.shape), " instead of ", ShapeText(result)));
  }
  if (matrix.inner == 0 || ElementCount(spec.output) == 0) return Support::No("empty tensor");
  if (operands.size() == 3) return AddendSupport(spec, operands[2].shape, matrix);
  return Support::Yes();
}

MatrixShape MatrixShapeOf(const LayerSpec& spec) {
  assert(MatrixShapeSupport(spec));
  MatrixShape matrix;
  Fit(spec, &matrix);
  return matrix;
}

}  // namespace fettle
