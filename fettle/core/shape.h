#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/dtype.h"

namespace fettle {

// The extents of a tensor, outermost first; empty for a scalar.
using Shape = std::vector<int64_t>;

// The product of the extents, or nothing where an extent is negative or the product overflows.
std::optional<int64_t> CheckedElementCount(const Shape& shape);

// Of a shape already known to be sound: 1 for a scalar.
int64_t ElementCount(const Shape& shape);

// The distance in elements between neighbours of each axis, row-major.
std::vector<int64_t> RowMajorStrides(const Shape& shape);

// "1x64x56x56"; "scalar" without extents. Parse answers nothing for any other text.
std::string ShapeText(const Shape& shape);
std::optional<Shape> ParseShape(std::string_view text);

// What a tensor is, apart from its values: "f32[1x64x56x56]".
struct TensorType {
  DType dtype = DType::kF32;
  Shape shape;

  friend bool operator==(const TensorType&, const TensorType&) = default;
};

int64_t ElementCount(const TensorType& type);
int64_t ByteSize(const TensorType& type);  // row-major, without padding

std::string TypeText(const TensorType& type);
std::optional<TensorType> ParseType(std::string_view text);

}  // namespace fettle
