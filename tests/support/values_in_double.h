#pragma once

#include <stdexcept>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

namespace internal {

template <typename T>
std::vector<double> Widened(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  return {values.begin(), values.end()};
}

}  // namespace internal

// A tensor's values in double precision. Throws std::invalid_argument for f16.
inline std::vector<double> ValuesInDouble(const Tensor& tensor) {
  switch (tensor.dtype()) {
    case DType::kF32:
      return internal::Widened<float>(tensor);
    case DType::kF64:
      return internal::Widened<double>(tensor);
    case DType::kI8:
      return internal::Widened<int8_t>(tensor);
    case DType::kU8:
    case DType::kBool:
      return internal::Widened<uint8_t>(tensor);
    case DType::kI16:
      return internal::Widened<int16_t>(tensor);
    case DType::kI32:
      return internal::Widened<int32_t>(tensor);
    case DType::kI64:
      return internal::Widened<int64_t>(tensor);
    case DType::kBF16: {
      std::vector<double> values;
      for (const uint16_t bits : tensor.values<uint16_t>()) values.push_back(FromBF16(bits));
      return values;
    }
    case DType::kF16:
      break;
  }
  throw std::invalid_argument("f16 is not understood");
}

}  // namespace fettle
