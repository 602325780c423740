#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace fettle {

// The type of a tensor's elements. The names (`f32`, `bf16`, ...) are persisted: never change one.
enum class DType : uint8_t { kF32, kF64, kF16, kBF16, kI8, kU8, kI16, kI32, kI64, kBool };

size_t SizeOf(DType dtype);  // bytes an element
std::string_view NameOf(DType dtype);
std::optional<DType> ParseDType(std::string_view name);

// bfloat16, the upper half of an f32; rounded to nearest even, NaN stays NaN.
uint16_t ToBF16(float value);
float FromBF16(uint16_t bits);

}  // namespace fettle
