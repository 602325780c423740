#include "fettle/core/dtype.h"

#include <bit>
#include <cassert>
#include <cmath>
#include <iterator>

namespace fettle {
namespace {

struct Row {
  DType dtype;
  std::string_view name;
  size_t bytes;
};

constexpr Row kRows[] = {
    {DType::kF32, "f32", 4},   {DType::kF64, "f64", 8}, {DType::kF16, "f16", 2},
    {DType::kBF16, "bf16", 2}, {DType::kI8, "i8", 1},   {DType::kU8, "u8", 1},
    {DType::kI16, "i16", 2},   {DType::kI32, "i32", 4}, {DType::kI64, "i64", 8},
    {DType::kBool, "bool", 1},
};

const Row& RowOf(DType dtype) {
  const auto index = static_cast<size_t>(dtype);
  assert(index < std::size(kRows) && kRows[index].dtype == dtype);
  return kRows[index];
}

}  // namespace

size_t SizeOf(DType dtype) { return RowOf(dtype).bytes; }

std::string_view NameOf(DType dtype) { return RowOf(dtype).name; }

std::optional<DType> ParseDType(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.dtype;
  }
  return std::nullopt;
}

uint16_t ToBF16(float value) {
  const auto bits = std::bit_cast<uint32_t>(value);
  if (std::isnan(value)) return static_cast<uint16_t>((bits >> 16) | 0x40);
  const uint32_t rounding = 0x7fff + ((bits >> 16) & 1);
  return static_cast<uint16_t>((bits + rounding) >> 16);
}

float FromBF16(uint16_t bits) { return std::bit_cast<float>(static_cast<uint32_t>(bits) << 16); }

}  // namespace fettle
