#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "fettle/core/dtype.h"

// Elements as C++ types, and how they convert. What is stored in 16 bits or means a truth value has
// a type of its own here, so that a template knows it from an integer.

namespace fettle {

struct BF16 {
  uint16_t bits;
};
struct F16 {
  uint16_t bits;
};
struct Bool {
  uint8_t bits;
};

// The conversions of kernels: branch-free, so that loops of them are vectorised.
inline float Widen(float value) { return value; }
inline float Widen(BF16 value) { return std::bit_cast<float>(uint32_t{value.bits} << 16); }

template <typename T>
T Narrow(float value);
template <>
inline float Narrow<float>(float value) {
  return value;
}
template <>
inline BF16 Narrow<BF16>(float value) {
  // To nearest even; a NaN keeps its sign and becomes quiet.
  const auto bits = std::bit_cast<uint32_t>(value);
  const uint32_t rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16;
  const uint32_t quiet = (bits >> 16) | 0x40;
  return {static_cast<uint16_t>((bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded)};
}

// The f32 from which a further rounding to 16 bits gives what the double itself would: where it is
// not exact its last bit is set ("rounding to odd").
inline float RoundToOdd(double value) {
  const auto nearest = static_cast<float>(value);
  if (static_cast<double>(nearest) == value || !std::isfinite(nearest)) return nearest;
  auto bits = std::bit_cast<uint32_t>(nearest);
  if (std::abs(static_cast<double>(nearest)) > std::abs(value)) bits -= 1;
  return std::bit_cast<float>(bits | 1);
}

inline F16 NarrowToF16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  const auto sign = static_cast<uint16_t>((bits >> 16) & 0x8000);
  const uint32_t magnitude = bits & 0x7fffffff;
  const auto with_sign = [sign](uint32_t half) { return F16{static_cast<uint16_t>(sign | half)}; };
  if (magnitude > 0x7f800000) return with_sign(0x7e00);   // NaN
  if (magnitude >= 0x477ff000) return with_sign(0x7c00);  // rounds to infinity
  if (magnitude < 0x38800000) {
    // Subnormal: adding 1/2 puts the last bit of an F16 (2^-24) at the last bit of the f32.
    const float shifted = std::bit_cast<float>(magnitude) + 0.5f;
    return with_sign(std::bit_cast<uint32_t>(shifted) - 0x3f000000);
  }
  const uint32_t rebased = magnitude - (112u << 23);
  return with_sign((rebased + 0xfff + ((rebased >> 13) & 1)) >> 13);
}

inline float WidenF16(F16 value) {
  const uint32_t sign = uint32_t{value.bits & 0x8000u} << 16;
  const uint32_t magnitude = value.bits & 0x7fff;
  if (magnitude < 0x400) {
    const float number = static_cast<float>(magnitude) * 0x1p-24f;
    return std::bit_cast<float>(sign | std::bit_cast<uint32_t>(number));
  }
  const uint32_t exponent = magnitude >= 0x7c00 ? 224u << 23 : 112u << 23;
  return std::bit_cast<float>(sign | ((magnitude << 13) + exponent));
}

// Exact, as what C++ computes with: a double, or the integer itself.
template <typename From>
auto ValueOf(From value) {
  if constexpr (std::is_same_v<From, BF16>) {
    return static_cast<double>(Widen(value));
  } else if constexpr (std::is_same_v<From, F16>) {
    return static_cast<double>(WidenF16(value));
  } else if constexpr (std::is_same_v<From, Bool>) {
    return static_cast<int64_t>(value.bits != 0);
  } else if constexpr (std::is_floating_point_v<From>) {
    return static_cast<double>(value);
  } else {
    return static_cast<int64_t>(value);
  }
}

// ONNX's Cast. Between floating-point types to nearest even; towards zero to an integer, where what
// does not fit becomes the nearest that does and NaN 0; integers keep their low bits; everything
// but zero is true.
template <typename To, typename From>
To ConvertElement(From from) {
  const auto value = ValueOf(from);
  if constexpr (std::is_same_v<To, BF16>) {
    return Narrow<BF16>(RoundToOdd(static_cast<double>(value)));
  } else if constexpr (std::is_same_v<To, F16>) {
    return NarrowToF16(RoundToOdd(static_cast<double>(value)));
  } else if constexpr (std::is_same_v<To, Bool>) {
    return {static_cast<uint8_t>(value != 0)};
  } else if constexpr (std::is_integral_v<To> && std::is_same_v<decltype(value), const double>) {
    if (std::isnan(value)) return 0;
    // Both bounds are powers of two (or zero), hence exact: 2^63 for the limit of int64.
    const double beyond = std::ldexp(1.0, std::numeric_limits<To>::digits);
    if (value >= beyond) return std::numeric_limits<To>::max();
    if (value <= static_cast<double>(std::numeric_limits<To>::min())) {
      return std::numeric_limits<To>::min();
    }
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

// Calls visit(T()) with the C++ type of the elements.
template <typename Visit>
void VisitElement(DType dtype, const Visit& visit) {
  switch (dtype) {
    case DType::kF32:
      return visit(float());
    case DType::kF64:
      return visit(double());
    case DType::kF16:
      return visit(F16());
    case DType::kBF16:
      return visit(BF16());
    case DType::kI8:
      return visit(int8_t());
    case DType::kU8:
      return visit(uint8_t());
    case DType::kI16:
      return visit(int16_t());
    case DType::kI32:
      return visit(int32_t());
    case DType::kI64:
      return visit(int64_t());
    case DType::kBool:
      return visit(Bool());
  }
}

}  // namespace fettle
