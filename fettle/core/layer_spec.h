#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/op.h"

namespace fettle {

// A layer's work, apart from its weights' values and its name: what a primitive is asked to do and
// what a measurement is kept under. Made by lowering; batch norm is folded, activations and
// residual sums are fused:
//
//   output = activation(op(inputs, weights) + residual)
//
// where the residual, if any, is the last of the inputs and has the output's shape and type. The
// operator's operands, in the order op.h states, are the other inputs and then the weights: a
// constant that op.h puts before an activation ("1 - x") cannot be a weight, and is handed over as
// an input.
struct LayerSpec {
  Op op;
  std::vector<TensorType> inputs;   // activations, the residual last
  std::vector<TensorType> weights;  // constants, the last of the operands
  TensorType output;
  bool adds_residual = false;
  std::optional<Activation> activation;
  double density = 1;  // the share of the first weight that is not zero, where a kernel may use it
  int64_t sparse_block = 1;  // so many neighbouring output channels share their zeros

  friend bool operator==(const LayerSpec&, const LayerSpec&) = default;
};

// The canonical text of a LayerSpec, what the database, plans and the worker's protocol hold:
//
//   conv(kernel=3x3,...) in=f32[1x64x56x56] weights=f32[64x64x3x3],f32[64] out=f32[1x64x56x56]
//   residual=1 activation(kind=relu,alpha=0,beta=0) density=0.1 sparse_block=4    (on one line)
//
// The last four only where they say something. Equal specs have equal keys.
struct LayerKey {
  std::string text;

  friend auto operator<=>(const LayerKey&, const LayerKey&) = default;
};

LayerKey KeyOf(const LayerSpec& spec);

// Equal for equal specs; for tables in memory, and not to be kept.
uint64_t HashOf(const LayerSpec& spec);

// Nothing for text that is no key; the shapes are not checked against the operator.
std::optional<LayerSpec> ParseLayerSpec(std::string_view text);

// Whether the weight is a matrix of filters, which is stored like the activations; biases and
// scales stay f32 beside bf16.
bool IsMatrix(const Op& op, size_t weight);

// Multiplications with accumulation, counted dense; 0 for operators that have none.
int64_t MacsOf(const LayerSpec& spec);

}  // namespace fettle
