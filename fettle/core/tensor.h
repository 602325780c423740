#pragma once

#include <cassert>
#include <cstddef>
#include <memory>
#include <span>
#include <type_traits>

#include "fettle/core/shape.h"

namespace fettle {

// The element type of C++ that a DType is stored as; bf16 and f16 are their bits.
template <typename T>
constexpr bool Holds(DType dtype);

// Values of a type, row-major, in memory of its own aligned to 64 bytes. Copies are deep. A graph
// shares its weights between candidates as std::shared_ptr<const Tensor>.
class Tensor {
 public:
  Tensor() : Tensor(TensorType{DType::kF32, {0}}) {}
  explicit Tensor(TensorType type);  // zero-filled; throws std::bad_alloc

  Tensor(const Tensor& other);
  Tensor& operator=(const Tensor& other);
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;

  template <typename T>
  static Tensor Of(DType dtype, const Shape& shape, std::span<const T> values);

  const TensorType& type() const { return type_; }
  const Shape& shape() const { return type_.shape; }
  DType dtype() const { return type_.dtype; }
  int64_t num_elements() const { return ElementCount(type_); }
  size_t num_bytes() const { return static_cast<size_t>(ByteSize(type_)); }

  std::byte* bytes() { return data_.get(); }
  const std::byte* bytes() const { return data_.get(); }

  // The values; T must be how the dtype is stored.
  template <typename T>
  std::span<T> values() {
    assert(Holds<T>(type_.dtype));
    return {reinterpret_cast<T*>(data_.get()), static_cast<size_t>(num_elements())};
  }
  template <typename T>
  std::span<const T> values() const {
    assert(Holds<T>(type_.dtype));
    return {reinterpret_cast<const T*>(data_.get()), static_cast<size_t>(num_elements())};
  }

  // The same values under another shape of as many elements.
  Tensor Reshaped(Shape shape) &&;

  friend bool operator==(const Tensor& a, const Tensor& b);  // type and bits

 private:
  struct Free {
    void operator()(std::byte* data) const;
  };

  TensorType type_;
  std::unique_ptr<std::byte[], Free> data_;
};

template <typename T>
constexpr bool Holds(DType dtype) {
  if constexpr (std::is_same_v<T, float>) return dtype == DType::kF32;
  if constexpr (std::is_same_v<T, double>) return dtype == DType::kF64;
  if constexpr (std::is_same_v<T, uint16_t>) return dtype == DType::kF16 || dtype == DType::kBF16;
  if constexpr (std::is_same_v<T, int8_t>) return dtype == DType::kI8;
  if constexpr (std::is_same_v<T, uint8_t>) return dtype == DType::kU8 || dtype == DType::kBool;
  if constexpr (std::is_same_v<T, int16_t>) return dtype == DType::kI16;
  if constexpr (std::is_same_v<T, int32_t>) return dtype == DType::kI32;
  if constexpr (std::is_same_v<T, int64_t>) return dtype == DType::kI64;
  return false;
}

template <typename T>
Tensor Tensor::Of(DType dtype, const Shape& shape, std::span<const T> values) {
  Tensor tensor(TensorType{dtype, shape});
  const std::span<T> place = tensor.values<T>();
  assert(place.size() == values.size());
  for (size_t i = 0; i < place.size(); ++i) place[i] = values[i];
  return tensor;
}

}  // namespace fettle
