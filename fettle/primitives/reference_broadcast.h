#pragma once

#include <cassert>
#include <cstdint>
#include <vector>

#include "fettle/core/shape.h"

namespace fettle {

// Where the elements of a row-major tensor lie that is broadcast to `shape` as in NumPy.
class BroadcastOffsets {
 public:
  BroadcastOffsets(const Shape& from, const Shape& shape) : shape_(shape), strides_(shape.size()) {
    assert(from.size() <= shape.size());
    const std::vector<int64_t> dense = RowMajorStrides(from);
    const size_t missing = shape.size() - from.size();
    for (size_t axis = 0; axis < from.size(); ++axis) {
      strides_[axis + missing] = from[axis] == 1 ? 0 : dense[axis];
    }
  }

  // For the element of the result with this row-major index.
  int64_t operator()(int64_t index) const {
    int64_t offset = 0;
    for (size_t axis = shape_.size(); axis-- > 0; index /= shape_[axis]) {
      offset += index % shape_[axis] * strides_[axis];
    }
    return offset;
  }

 private:
  Shape shape_;
  std::vector<int64_t> strides_;
};

}  // namespace fettle
