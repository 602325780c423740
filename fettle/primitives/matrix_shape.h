#pragma once

#include <cstdint>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// A product of matrices, as many of them as the leading axes count: for each place there
//
//   y [rows, columns] = a [rows, inner] * b [inner, columns]
//
// The shape of Gemm (without leading axes), of MatMul (a vector is a row of one, or a column) and
// of InnerProduct (b lies transposed).
struct MatrixShape {
  Shape leading;               // of y
  Shape a_leading, b_leading;  // of as many axes as `leading`; where an extent is 1, broadcast
  int64_t rows = 1, inner = 1, columns = 1;
  bool transpose_a = false, transpose_b = false;  // a lies as [inner, rows], b as [columns, inner]

  int64_t count() const { return ElementCount(leading); }  // of products
};

// Whether the spec is one of the three operators, its extents fit one another and none is zero.
// Says nothing about types.
Support MatrixShapeSupport(const LayerSpec& spec);

// Asserts MatrixShapeSupport.
MatrixShape MatrixShapeOf(const LayerSpec& spec);

}  // namespace fettle
