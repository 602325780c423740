#include <cstring>

#include "fettle/network/onnx/fold.h"

namespace fettle {

Tensor StridedCopy(const Tensor& input, int64_t offset, const Shape& shape,
                   const std::vector<int64_t>& strides) {
  Tensor result({input.dtype(), shape});
  const size_t size = SizeOf(input.dtype());
  std::vector<int64_t> index(shape.size(), 0);
  int64_t place = offset;
  for (int64_t i = 0, count = result.num_elements(); i < count; ++i) {
    std::memcpy(result.bytes() + i * size, input.bytes() + place * size, size);
    for (size_t axis = shape.size(); axis-- > 0;) {
      place += strides[axis];
      if (++index[axis] < shape[axis]) break;
      place -= shape[axis] * strides[axis];
      index[axis] = 0;
    }
  }
  return result;
}

Tensor BroadcastTo(const Tensor& input, const Shape& shape) {
  if (input.shape() == shape) return input;
  const std::vector<int64_t> own = RowMajorStrides(input.shape());
  const size_t missing = shape.size() - own.size();
  std::vector<int64_t> strides(shape.size(), 0);
  for (size_t axis = 0; axis < own.size(); ++axis) {
    if (input.shape()[axis] != 1) strides[missing + axis] = own[axis];
  }
  return StridedCopy(input, 0, shape, strides);
}

Tensor Concatenated(std::span<const Tensor* const> inputs, size_t axis, const TensorType& type) {
  Tensor result(type);
  const auto outer =
      static_cast<size_t>(ElementCount(Shape(type.shape.begin(), type.shape.begin() + axis)));
  if (result.num_bytes() == 0) return result;
  std::byte* place = result.bytes();
  for (size_t i = 0; i < outer; ++i) {
    for (const Tensor* input : inputs) {
      const size_t bytes = input->num_bytes() / outer;
      if (bytes > 0) std::memcpy(place, input->bytes() + i * bytes, bytes);
      place += bytes;
    }
  }
  return result;
}

Tensor Gathered(const Tensor& input, size_t axis, std::span<const int64_t> indices,
                const Shape& index_shape) {
  const Shape& from = input.shape();
  Shape shape(from.begin(), from.begin() + axis);
  const auto outer = static_cast<size_t>(ElementCount(shape));
  shape.insert(shape.end(), index_shape.begin(), index_shape.end());
  shape.insert(shape.end(), from.begin() + axis + 1, from.end());
  Tensor result({input.dtype(), shape});
  if (result.num_bytes() == 0) return result;

  const size_t extent = static_cast<size_t>(from[axis]);
  const size_t bytes = input.num_bytes() / outer / extent;
  std::byte* place = result.bytes();
  for (size_t i = 0; i < outer; ++i) {
    for (int64_t index : indices) {
      std::memcpy(place, input.bytes() + (i * extent + static_cast<size_t>(index)) * bytes, bytes);
      place += bytes;
    }
  }
  return result;
}

}  // namespace fettle
