#include "fettle/network/variants/tensor_part.h"

#include <cstddef>
#include <cstring>
#include <utility>

namespace fettle {

Tensor TakeIndices(const Tensor& tensor, int axis, std::span<const int64_t> indices) {
  const auto bytes_of = [&](int64_t elements) {
    return static_cast<size_t>(elements) * SizeOf(tensor.dtype());
  };
  const int64_t extent = tensor.shape()[axis];
  const size_t inner = bytes_of(RowMajorStrides(tensor.shape())[axis]);
  TensorType type = tensor.type();
  type.shape[axis] = static_cast<int64_t>(indices.size());
  Tensor taken(std::move(type));
  std::byte* to = taken.bytes();
  const std::byte* const end = tensor.bytes() + tensor.num_bytes();
  for (const std::byte* from = tensor.bytes(); from < end; from += extent * inner) {
    for (const int64_t index : indices) {
      std::memcpy(to, from + index * inner, inner);
      to += inner;
    }
  }
  return taken;
}

}  // namespace fettle
