#pragma once

#include <optional>
#include <span>
#include <variant>
#include <vector>

#include "fettle/core/op.h"
#include "fettle/core/tensor.h"

// The small evaluator of what a file computes from constants alone: sizes, mostly, and weights that
// an exporter left to be transposed or reshaped. Its results are exact, or rounded once as the
// element type demands.

namespace fettle {

// Whether Fold computes this operator over inputs of these types.
bool CanFold(const Op& op, std::span<const TensorType> inputs);
// The outputs, whose types are those of InferTypes. Throws an Error on an integer division by zero.
std::vector<Tensor> Fold(const Op& op, std::span<const Tensor* const> inputs,
                         std::span<const TensorType> outputs);

// --- Moving elements (fold_movement.cpp) ---

// Element (i, j, ...) of the result is that at offset + i * strides[0] + j * strides[1] + ...
Tensor StridedCopy(const Tensor& input, int64_t offset, const Shape& shape,
                   const std::vector<int64_t>& strides);
// As in NumPy; the shape must be one that the input broadcasts to.
Tensor BroadcastTo(const Tensor& input, const Shape& shape);
Tensor Concatenated(std::span<const Tensor* const> inputs, size_t axis, const TensorType& type);
// ONNX's Gather: the slices along the axis, in the order of the indices, which are within it.
Tensor Gathered(const Tensor& input, size_t axis, std::span<const int64_t> indices,
                const Shape& index_shape);

// --- Computing with them (fold_arithmetic.cpp) ---

// A tensor's elements: as integers where it holds integers or bools, as doubles where f32 or f64.
using Numbers = std::variant<std::vector<int64_t>, std::vector<double>>;

// Nothing for the element types that are not computed with (f16, bf16).
std::optional<Numbers> NumbersOf(const Tensor& tensor);
// Rounded, truncated or clamped to the type; integers that do not fit wrap as they do in C++20.
Tensor TensorOf(const Numbers& numbers, const TensorType& type);

}  // namespace fettle
