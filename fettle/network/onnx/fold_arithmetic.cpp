#include <algorithm>
#include <cmath>
#include <limits>

#include "fettle/network/onnx/fold.h"

namespace fettle {
namespace {

// Calls body(T()) with the C++ type of the elements; not for f16 and bf16.
template <typename Body>
void WithType(DType dtype, const Body& body) {
  switch (dtype) {
    case DType::kF32:
      return body(float());
    case DType::kF64:
      return body(double());
    case DType::kI8:
      return body(int8_t());
    case DType::kU8:
    case DType::kBool:
      return body(uint8_t());
    case DType::kI16:
      return body(int16_t());
    case DType::kI32:
      return body(int32_t());
    case DType::kI64:
      return body(int64_t());
    case DType::kF16:
    case DType::kBF16:
      return;
  }
}

// Truncated towards zero; clamped, where C++ would leave it undefined, and 0 for NaN.
template <typename T>
T Truncated(double value) {
  if (std::isnan(value)) return 0;
  // -min is a power of two, exact as a double where max is not.
  const double least = static_cast<double>(std::numeric_limits<T>::min());
  const double beyond = std::ldexp(1.0, std::numeric_limits<T>::digits);
  if (value <= least) return std::numeric_limits<T>::min();
  if (value >= beyond) return std::numeric_limits<T>::max();
  return static_cast<T>(value);
}

template <typename T, typename From>
T Converted(From value) {
  if constexpr (std::is_integral_v<T> && std::is_floating_point_v<From>) {
    return Truncated<T>(value);
  }
  return static_cast<T>(value);
}

}  // namespace

std::optional<Numbers> NumbersOf(const Tensor& tensor) {
  std::optional<Numbers> numbers;
  WithType(tensor.dtype(), [&](auto zero) {
    using T = decltype(zero);
    const std::span<const T> values = tensor.values<T>();
    if constexpr (std::is_integral_v<T>) {
      numbers.emplace(std::vector<int64_t>(values.begin(), values.end()));
    } else {
      numbers.emplace(std::vector<double>(values.begin(), values.end()));
    }
  });
  return numbers;
}

Tensor TensorOf(const Numbers& numbers, const TensorType& type) {
  Tensor tensor(type);
  std::visit(
      [&](const auto& list) {
        WithType(type.dtype, [&](auto zero) {
          using T = decltype(zero);
          const std::span<T> values = tensor.values<T>();
          for (size_t i = 0; i < values.size(); ++i) {
            values[i] =
                type.dtype == DType::kBool ? static_cast<T>(list[i] != 0) : Converted<T>(list[i]);
          }
        });
      },
      numbers);
  return tensor;
}

}  // namespace fettle
