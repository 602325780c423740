#include "fettle/network/onnx/element_types.h"

#include <array>
#include <cmath>
#include <limits>
#include <string_view>

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr std::array<std::string_view, 24> kOnnxNames = {
    "undefined",      "float",      "uint8",          "int8",       "uint16",   "int16",
    "int32",          "int64",      "string",         "bool",       "float16",  "double",
    "uint32",         "uint64",     "complex64",      "complex128", "bfloat16", "float8e4m3fn",
    "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "uint4",      "int4",     "float4e2m1"};

constexpr struct {
  int32_t onnx;
  DType dtype;
} kTypes[] = {{1, DType::kF32},  {2, DType::kU8},   {3, DType::kI8},   {5, DType::kI16},
              {6, DType::kI32},  {7, DType::kI64},  {9, DType::kBool}, {10, DType::kF16},
              {11, DType::kF64}, {16, DType::kBF16}};

}  // namespace

std::optional<DType> DTypeOfOnnx(int32_t data_type) {
  for (const auto& entry : kTypes) {
    if (entry.onnx == data_type) return entry.dtype;
  }
  return std::nullopt;
}

int32_t OnnxOfDType(DType dtype) {
  for (const auto& entry : kTypes) {
    if (entry.dtype == dtype) return entry.onnx;
  }
  return 0;
}

std::string OnnxTypeText(int32_t data_type) {
  const bool is_known = data_type >= 0 && data_type < static_cast<int32_t>(kOnnxNames.size());
  return is_known ? std::string(kOnnxNames[static_cast<size_t>(data_type)])
                  : Text("number ", data_type);
}

DType Widened(DType dtype) {
  return dtype == DType::kF16 || dtype == DType::kBF16 ? DType::kF32 : dtype;
}

float FromF16(uint16_t bits) {
  const int exponent = (bits >> 10) & 0x1F;
  const int fraction = bits & 0x3FF;
  float magnitude = 0;
  if (exponent == 0x1F) {
    magnitude = fraction == 0 ? std::numeric_limits<float>::infinity()
                              : std::numeric_limits<float>::quiet_NaN();
  } else if (exponent == 0) {
    magnitude = std::ldexp(static_cast<float>(fraction), -24);
  } else {
    magnitude = std::ldexp(static_cast<float>(fraction + 0x400), exponent - 25);
  }
  return (bits & 0x8000) != 0 ? -magnitude : magnitude;
}

std::optional<uint16_t> ExactF16(float value) {
  for (uint32_t bits = 0; bits < 0x10000; ++bits) {  // only ever asked for a single attribute
    if (FromF16(static_cast<uint16_t>(bits)) == value) return static_cast<uint16_t>(bits);
  }
  return std::nullopt;
}

}  // namespace fettle
