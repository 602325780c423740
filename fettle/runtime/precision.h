#pragma once

#include "fettle/core/layer_spec.h"
#include "fettle/core/tensor.h"

namespace fettle {

// Whether a layer, given in f32, can be computed with f32 tensors stored in `dtype` instead: f32
// always, bf16 where everything it reads and writes is f32.
bool CanHavePrecision(const LayerSpec& spec, DType dtype);

// The same layer with its activations in `dtype`, and the matrices of convolutions and inner
// products as well (IsMatrix). Biases and the per-channel weights of other operators stay f32: they
// cost nothing and their rounding would not average out. Asserts CanHavePrecision.
LayerSpec AtPrecision(LayerSpec spec, DType dtype);

// What weights[index] of AtPrecision(spec, dtype) is stored as.
DType WeightTypeAt(const LayerSpec& spec, DType dtype, size_t index);

// The values rounded to (or widened from) bf16. Asserts that both types are f32 or bf16, or equal.
Tensor ConvertTo(const Tensor& tensor, DType dtype);

}  // namespace fettle
