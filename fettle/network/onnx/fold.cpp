#include "fettle/network/onnx/fold.h"

#include <algorithm>
#include <utility>

#include "fettle/core/error.h"

namespace fettle {
namespace {

using Tensors = std::span<const Tensor* const>;

Tensor FoldBinary(BinaryKind kind, const Tensor& a, const Tensor& b, const TensorType& type) {
  Numbers left = *NumbersOf(BroadcastTo(a, type.shape));
  const Numbers right = *NumbersOf(BroadcastTo(b, type.shape));
  if (auto* integers = std::get_if<std::vector<int64_t>>(&left)) {
    const auto& others = std::get<std::vector<int64_t>>(right);
    for (size_t i = 0; i < integers->size(); ++i) {
      int64_t& x = (*integers)[i];
      const int64_t y = others[i];
      // Overflow wraps, as the builtins store it.
      if (kind == BinaryKind::kAdd) (void)__builtin_add_overflow(x, y, &x);
      if (kind == BinaryKind::kSub) (void)__builtin_sub_overflow(x, y, &x);
      if (kind == BinaryKind::kMul) (void)__builtin_mul_overflow(x, y, &x);
      if (kind != BinaryKind::kDiv) continue;
      if (y == 0) throw BadInput("divides ", x, " by zero");
      if (y == -1) {
        (void)__builtin_sub_overflow(int64_t{0}, x, &x);
      } else {
        x /= y;
      }
    }
  } else {
    // One rounding to f32 of the result in double is the correctly rounded f32 result.
    auto& reals = std::get<std::vector<double>>(left);
    const auto& others = std::get<std::vector<double>>(right);
    for (size_t i = 0; i < reals.size(); ++i) {
      if (kind == BinaryKind::kAdd) reals[i] += others[i];
      if (kind == BinaryKind::kSub) reals[i] -= others[i];
      if (kind == BinaryKind::kMul) reals[i] *= others[i];
      if (kind == BinaryKind::kDiv) reals[i] /= others[i];
    }
  }
  return TensorOf(left, type);
}

Tensor FoldSlice(const Slice& op, const Tensor& input, const TensorType& type) {
  std::vector<int64_t> strides = RowMajorStrides(input.shape());
  int64_t offset = 0;
  if (ElementCount(type) == 0) return Tensor(type);
  for (size_t axis = 0; axis < strides.size(); ++axis) {
    offset += op.starts[axis] * strides[axis];
    // A single element is never stepped from; its step may be too large to multiply.
    strides[axis] = type.shape[axis] == 1 ? 0 : strides[axis] * op.steps[axis];
  }
  return StridedCopy(input, offset, type.shape, strides);
}

std::vector<Tensor> FoldSplit(const Split& op, const Tensor& input,
                              std::span<const TensorType> types) {
  const std::vector<int64_t> strides = RowMajorStrides(input.shape());
  std::vector<Tensor> parts;
  int64_t offset = 0;
  for (const TensorType& type : types) {
    parts.push_back(StridedCopy(input, offset, type.shape, strides));
    offset += type.shape[op.axis] * strides[op.axis];
  }
  return parts;
}

Tensor FoldTranspose(const Transpose& op, const Tensor& input, const TensorType& type) {
  const std::vector<int64_t> strides = RowMajorStrides(input.shape());
  std::vector<int64_t> permuted;
  for (int64_t axis : op.permutation) permuted.push_back(strides[axis]);
  return StridedCopy(input, 0, type.shape, permuted);
}

Tensor FoldOne(const Op& op, Tensors inputs, const TensorType& type) {
  const Tensor& input = *inputs[0];
  if (std::holds_alternative<Cast>(op)) return TensorOf(*NumbersOf(input), type);
  if (std::holds_alternative<Reshape>(op)) return Tensor(input).Reshaped(type.shape);
  if (const auto* binary = std::get_if<Binary>(&op)) {
    return FoldBinary(binary->kind, input, *inputs[1], type);
  }
  if (const auto* slice = std::get_if<Slice>(&op)) return FoldSlice(*slice, input, type);
  if (const auto* concat = std::get_if<Concat>(&op)) {
    return Concatenated(inputs, static_cast<size_t>(concat->axis), type);
  }
  if (const auto* transpose = std::get_if<Transpose>(&op)) {
    return FoldTranspose(*transpose, input, type);
  }
  return input;  // Identity
}

bool IsComputedWith(DType dtype) { return dtype != DType::kF16 && dtype != DType::kBF16; }

}  // namespace

bool CanFold(const Op& op, std::span<const TensorType> inputs) {
  if (std::holds_alternative<Cast>(op)) {
    return IsComputedWith(std::get<Cast>(op).dtype) && IsComputedWith(inputs[0].dtype);
  }
  if (std::holds_alternative<Binary>(op)) return IsComputedWith(inputs[0].dtype);
  return std::holds_alternative<Reshape>(op) || std::holds_alternative<Slice>(op) ||
         std::holds_alternative<Split>(op) || std::holds_alternative<Concat>(op) ||
         std::holds_alternative<Transpose>(op) || std::holds_alternative<Identity>(op);
}

std::vector<Tensor> Fold(const Op& op, Tensors inputs, std::span<const TensorType> outputs) {
  if (const auto* split = std::get_if<Split>(&op)) return FoldSplit(*split, *inputs[0], outputs);
  std::vector<Tensor> results;
  results.push_back(FoldOne(op, inputs, outputs[0]));
  return results;
}

}  // namespace fettle
