#pragma once

#include <cstdint>

#include "fettle/core/target.h"
#include "fettle/primitives/element.h"

// The two inner loops of own_inverted_residual.cpp: rows of pixels times a panel of a matrix, and a
// row of pixels under filters of one channel each. A pixel's channels lie next to each other, in
// panels of 32, or 16 without AVX-512. Results may be cut off at both ends, which is what most
// activations are.
//
// Functions of their own: inlined among others, the compiler no longer keeps all sums in registers.

namespace fettle {

struct Bounds {
  float low, high;
};

// to[row] = from[row] + a[row] * panel, over `depth`; and, where results are ready, +
// residual[row].
template <typename W>
struct RowProducts {
  int64_t rows = 0, depth = 0, lanes = 0;  // of the panel; what is behind those may be left out
  const float* a = nullptr;
  int64_t a_stride = 0;
  const W* panel = nullptr;  // [depth][width]
  int64_t width = 0;
  const float* from = nullptr;
  int64_t from_stride = 0;  // 0 for a bias
  float* to = nullptr;
  int64_t to_stride = 0;
  const float* residual = nullptr;  // at to_stride too; or none
};

// All lanes of the vectors that hold some of interest are written.
void MultiplyRows(const Target& target, const RowProducts<float>& products);
void MultiplyRows(const Target& target, const RowProducts<BF16>& products);
// When results are ready; of a last vector with 8 lanes of interest no more than those are written.
void MultiplyRows(const Target& target, const RowProducts<float>& products, Bounds bounds);
void MultiplyRows(const Target& target, const RowProducts<BF16>& products, Bounds bounds);

// A row of outputs, each the sum of its taps with one filter a lane. Every tap is there: padding is
// zeros in the rows.
struct RowFilters {
  const float* const* rows = nullptr;  // one for each of the window's
  int64_t kernel_y = 0, kernel_x = 0, stride = 1, dilation = 1;
  const float* filters = nullptr;  // [kernel_y][kernel_x][width]
  int64_t width = 0, lanes = 0;    // of a panel; what is behind those may be left out
  const float* bias = nullptr;
  int64_t outputs = 0;
  float* to = nullptr;
  int64_t to_stride = 0;
  Bounds bounds{};
};

void FilterRow(const Target& target, const RowFilters& row);

}  // namespace fettle
