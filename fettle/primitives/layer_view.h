#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/primitive.h"

// What primitives ask of a LayerSpec again and again.

namespace fettle {

// The inputs that are the operator's own: all but the residual.
inline size_t NumOperatorInputs(const LayerSpec& spec) {
  return spec.inputs.size() - (spec.adds_residual ? 1 : 0);
}

// The operator's operands in the order op.h states: its inputs, then its weights.
std::vector<TensorType> OperandTypes(const LayerSpec& spec);

inline bool HasEpilogue(const LayerSpec& spec) {
  return spec.adds_residual || spec.activation.has_value();
}

// Whether the operator only moves elements, of any type: concat, slice, reshape, transpose, pad and
// identity.
bool OnlyMoves(const Op& op);

// The types that arithmetic is done on; the others are only moved and cast.
inline bool IsFloat(DType dtype) { return dtype == DType::kF32 || dtype == DType::kBF16; }

// No, naming the tensor, where an input, a weight or the output is neither f32 nor bf16.
Support RequireFloat(const LayerSpec& spec);

// Elements [first, last) of a window.
struct TapRange {
  int64_t first, last;
};

// A window along one axis, its attributes beside the extents it links.
struct WindowAxis {
  int64_t kernel = 1, stride = 1, dilation = 1, pad_begin = 0, pad_end = 0;
  int64_t input = 1, output = 1;

  // Where the window's element `tap` lies for output 0; add output * stride.
  int64_t Offset(int64_t tap) const { return tap * dilation - pad_begin; }

  // The outputs [first, last) for which element `tap` of the window lies inside the input.
  int64_t FirstOutput(int64_t tap) const {
    const int64_t before = -Offset(tap);
    return before <= 0 ? 0 : std::min((before + stride - 1) / stride, output);
  }
  int64_t LastOutput(int64_t tap) const {
    const int64_t room = input - 1 - Offset(tap);
    return room < 0 ? FirstOutput(tap)
                    : std::max(FirstOutput(tap), std::min(room / stride + 1, output));
  }

  // The elements of this output's window that lie inside the input.
  TapRange TapsInside(int64_t output_at) const {
    const int64_t start = output_at * stride - pad_begin;
    const int64_t before = start >= 0 ? 0 : (-start + dilation - 1) / dilation;
    const int64_t room = input - 1 - start;
    const int64_t last = room < 0 ? 0 : std::min(room / dilation + 1, kernel);
    return {std::min(before, last), last};
  }
};

// A window over two axes; over one, `y` is an axis of one element.
struct WindowPlane {
  WindowAxis y, x;
};

// `input` and `output` are shapes [N,C,...] with one or two spatial axes.
WindowPlane PlaneOf(const Window& window, const Shape& input, const Shape& output);

// How many elements the axes [first, last) hold.
int64_t Volume(const Shape& shape, size_t first, size_t last);

}  // namespace fettle
