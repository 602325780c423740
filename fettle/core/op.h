#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fettle/core/shape.h"

// The operators a network is made of, each a struct of its attributes. The semantics are ONNX's
// (the newest opset's), with everything resolved that ONNX leaves open: auto_pad, ceil_mode,
// negative axes, sizes given at run time. Each lists its attributes once, in VisitFields, from
// which its text, its parser and its comparison follow.

namespace fettle {

// A sliding window; every list has one entry a spatial axis (1 or 2 of them).
struct Window {
  std::vector<int64_t> kernel, strides, dilations, pads_begin, pads_end;

  friend bool operator==(const Window&, const Window&) = default;
};

// The output extent of an axis: floor((in + pads - dilated kernel) / stride) + 1; zero
// where the window does not fit.
int64_t WindowOutput(const Window& window, size_t axis, int64_t input);

// Inputs: x [N,S,...], w [T,S/groups,kernel...], optionally bias [T].
struct Conv {
  static constexpr std::string_view kName = "conv";
  Window window;
  int64_t groups = 1;
};

// Inputs: x [N,C,...], then scale, bias, mean, variance [C]. Inference form.
struct BatchNorm {
  static constexpr std::string_view kName = "batch_norm";
  float epsilon = 1e-5f;
};

// alpha * op(a) * op(b) + beta * c; a and b matrices, c broadcast to the result and optional.
struct Gemm {
  static constexpr std::string_view kName = "gemm";
  bool transpose_a = false, transpose_b = false;
  float alpha = 1, beta = 1;
};

// NumPy's matmul, with broadcasting of the leading axes.
struct MatMul {
  static constexpr std::string_view kName = "matmul";
};

enum class ActivationKind : uint8_t {
  kRelu,
  kClip,       // to [alpha, beta]
  kLeakyRelu,  // alpha * x below zero
  kSigmoid,
  kHardSigmoid,  // clip(alpha * x + beta, 0, 1)
  kHardSwish,    // x * clip(x / 6 + 1/2, 0, 1)
  kTanh,
};

struct Activation {
  static constexpr std::string_view kName = "activation";
  ActivationKind kind = ActivationKind::kRelu;
  float alpha = 0, beta = 0;  // 0 where the kind does not use them

  friend bool operator==(const Activation&, const Activation&) = default;
};

// Over one axis.
struct Softmax {
  static constexpr std::string_view kName = "softmax";
  int64_t axis = 0;
};

enum class PoolKind : uint8_t { kMax, kAverage };

// `overhang` is what ceil_mode lets the last window reach past pads_end: never read, never counted.
struct Pool {
  static constexpr std::string_view kName = "pool";
  PoolKind kind = PoolKind::kMax;
  Window window;
  std::vector<int64_t> overhang;
  bool count_include_pad =
      false;  // of kAverage: divide by the window's size, not by what is inside
};

// Over all axes behind the channels; these stay, with extent 1.
struct GlobalAveragePool {
  static constexpr std::string_view kName = "global_average_pool";
};

struct ReduceMean {
  static constexpr std::string_view kName = "reduce_mean";
  std::vector<int64_t> axes;  // ascending
  bool keep_dims = true;
};

enum class BinaryKind : uint8_t { kAdd, kSub, kMul, kDiv };

// Two inputs, broadcast as in NumPy.
struct Binary {
  static constexpr std::string_view kName = "binary";
  BinaryKind kind = BinaryKind::kAdd;
};

// The sum of one or more inputs, broadcast as in NumPy.
struct Sum {
  static constexpr std::string_view kName = "sum";
};

struct Concat {
  static constexpr std::string_view kName = "concat";
  int64_t axis = 0;
};

// One output for each size.
struct Split {
  static constexpr std::string_view kName = "split";
  int64_t axis = 0;
  std::vector<int64_t> sizes;
};

// Elements starts, starts + steps, ... up to but without ends, on every axis. With a negative step
// an end of -1 is "past the first element"; there are no other negative values.
struct Slice {
  static constexpr std::string_view kName = "slice";
  std::vector<int64_t> starts, ends, steps;
};

// The elements in row-major order under another shape (ONNX's Reshape, Flatten, Squeeze,
// Unsqueeze).
struct Reshape {
  static constexpr std::string_view kName = "reshape";
  Shape shape;
};

// Axis i of the result is axis permutation[i] of the input.
struct Transpose {
  static constexpr std::string_view kName = "transpose";
  std::vector<int64_t> permutation;
};

enum class PadMode : uint8_t { kConstant, kReflect, kEdge };

// Adds (or, where negative, removes) so many elements at each end of each axis.
struct Pad {
  static constexpr std::string_view kName = "pad";
  PadMode mode = PadMode::kConstant;
  std::vector<int64_t> begin, end;
  float value = 0;
};

enum class ResizeMode : uint8_t { kNearest, kLinear };
enum class ResizeCoordinates : uint8_t {
  kHalfPixel,
  kPytorchHalfPixel,
  kAlignCorners,
  kAsymmetric
};
enum class NearestRounding : uint8_t { kRoundPreferFloor, kRoundPreferCeil, kFloor, kCeil };

// To `sizes`; `scales` is output over input as the coordinates use it, one entry an axis each.
struct Resize {
  static constexpr std::string_view kName = "resize";
  ResizeMode mode = ResizeMode::kNearest;
  ResizeCoordinates coordinates = ResizeCoordinates::kHalfPixel;
  NearestRounding rounding = NearestRounding::kRoundPreferFloor;
  std::vector<float> scales;
  std::vector<int64_t> sizes;
};

// x / (bias + alpha / size * sum of x^2 over `size` neighbouring channels) ^ beta.
struct Lrn {
  static constexpr std::string_view kName = "lrn";
  int64_t size = 1;
  float alpha = 1e-4f, beta = 0.75f, bias = 1;
};

struct Cast {
  static constexpr std::string_view kName = "cast";
  DType dtype = DType::kF32;
};

struct Identity {
  static constexpr std::string_view kName = "identity";
};

// Only in lowered layers: y = x * w^T + bias; x [N,S], weights w [T,S] and optionally bias [T].
struct InnerProduct {
  static constexpr std::string_view kName = "inner_product";
};

// Only in lowered layers: y = scale * x + shift for each channel; weights scale and shift [C].
struct ChannelAffine {
  static constexpr std::string_view kName = "channel_affine";
};

// Only in lowered layers: the same tensor in another layout or element type.
struct Reorder {
  static constexpr std::string_view kName = "reorder";
};

// Only in lowered layers, made where it is faster than its parts (deploy/fuse_inverted_residual.h):
// the block that mobile networks are made of, with the input x [N,S,...]. Where it expands, a
// pointwise convolution to E channels; else E = S. Then a convolution with one filter a channel,
// `window`, and a pointwise one to T channels. An activation, or none, follows each of the first
// two; what follows the last is the layer's epilogue.
//
// Weights: w1 [E,S,1..] and b1 [E] where it expands, w2 [E,1,kernel...], b2 [E], w3 [T,E,1..],
// b3 [T]. In bf16 that is x, the result and w1, w2, w3; what lies between is not rounded.
struct InvertedResidual {
  static constexpr std::string_view kName = "inverted_residual";
  bool expands = true;
  std::optional<Activation> expanded;  // none where it does not expand
  Window window;
  std::optional<Activation> filtered;
};

using Op =
    std::variant<Conv, BatchNorm, Gemm, MatMul, Activation, Softmax, Pool, GlobalAveragePool,
                 ReduceMean, Binary, Sum, Concat, Split, Slice, Reshape, Transpose, Pad, Resize,
                 Lrn, Cast, Identity, InnerProduct, ChannelAffine, Reorder, InvertedResidual>;

// The same kind with the same attributes, bit by bit: the same text.
bool operator==(const Op& a, const Op& b);

// Of the kind and all attributes; the same in one run of a program, and not to be kept.
uint64_t HashOf(const Op& op);

std::string_view NameOf(const Op& op);

// "conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=1x1,pads_end=1x1,groups=1)". Persisted:
// a field may be added (with its default where the text lacks it), never renamed. Parse answers
// nothing for text that is not an operator's.
std::string OpText(const Op& op);
std::optional<Op> ParseOp(std::string_view text);

}  // namespace fettle
