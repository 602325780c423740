#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/core/layout.h"

// The operators as reference.cpp computes them: straight from op.h's definitions, row-major, from
// operands widened exactly to f32, in FP64, rounded once by the caller. Written to be read; the
// loops are ordered only so that a layer of a large network takes seconds.

namespace fettle {

// One operand, row-major.
struct FloatOperand {
  Shape shape;
  std::span<const float> values;
};

using FloatOperands = std::span<const FloatOperand>;

// Each writes all of `y`, which has `shape` and holds the operator's result without the epilogue.
void ReferenceCompute(const Conv& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const InvertedResidual& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const InnerProduct& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const Gemm& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const MatMul& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const BatchNorm& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const ChannelAffine& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const Activation& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const Softmax& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const Binary& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const Sum& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const Pool& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const GlobalAveragePool& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const ReduceMean& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const Lrn& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);
void ReferenceCompute(const Resize& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y);

// Whether an output of this shape, at so many operations an element, is more work than waking
// threads for it.
inline bool IsWorthThreads(const Shape& shape, int64_t operations) {
  return ElementCount(shape) * operations > 100000;
}

// The operators that only move elements, of any type: concat, slice, reshape, transpose, pad and
// identity (OnlyMoves of layer_view.h). `operands` and `output` are row-major memory of the types
// given.
void ReferenceMove(const Op& op, std::span<const TensorType> types,
                   std::span<const std::byte* const> operands, const TensorType& output_type,
                   std::byte* output);

// Each element converted as C++ does; what does not fit an integer type saturates, NaN becomes 0,
// and anything but zero is a true bool.
void ReferenceCast(const TensorType& from, const std::byte* input, DType to, std::byte* output);

// Between two layouts, and f32 and bf16; the output's padding channels become zeros.
void ReferenceReorder(const TensorType& from, Layout from_layout, const std::byte* input, DType to,
                      Layout to_layout, std::byte* output);

}  // namespace fettle
