#pragma once

#include <cstdint>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// A matrix of f32, row-major, its rows `stride` elements apart; or one that lies transposed.
struct GemmOperand {
  const float* data;
  int64_t stride;
  bool is_transposed = false;
};

// c [rows, columns] = alpha * a [rows, inner] * b [inner, columns], added to c where `accumulates`.
// c's rows lie c_stride elements apart.
struct GemmCall {
  int64_t rows, columns, inner;
  float alpha = 1;
  bool accumulates = false;
};
void OpenblasGemm(const GemmCall& call, const GemmOperand& a, const GemmOperand& b, float* c,
                  int64_t c_stride);

// y [rows] = a [rows, columns] * x, added to y where `accumulates`.
void OpenblasGemv(int64_t rows, int64_t columns, const float* a, const float* x, bool accumulates,
                  float* y);

// No where a tensor is other than f32 or larger than OpenBLAS's 32-bit extents allow.
Support OpenblasTensorSupport(const LayerSpec& spec);

}  // namespace fettle
