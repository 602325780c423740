#include "fettle/primitives/tolerance.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <variant>

#include "fettle/primitives/element.h"
#include "fettle/primitives/layer_view.h"

namespace fettle {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <typename T>
double FloatError(size_t count, const T* expected, const T* actual) {
  double difference = 0, magnitude = 0;
  for (size_t i = 0; i < count; ++i) {
    const double a = Widen(expected[i]), b = Widen(actual[i]);
    if (std::isfinite(a)) magnitude = std::max(magnitude, std::abs(a));
    if (a == b || (std::isnan(a) && std::isnan(b))) continue;
    if (!std::isfinite(a) || !std::isfinite(b)) return kInfinity;
    difference = std::max(difference, std::abs(a - b));
  }
  if (difference == 0) return 0;
  return magnitude == 0 ? kInfinity : difference / magnitude;
}

bool HasBF16(const LayerSpec& spec) {
  const auto is_bf16 = [](const TensorType& type) { return type.dtype == DType::kBF16; };
  return is_bf16(spec.output) || std::any_of(spec.inputs.begin(), spec.inputs.end(), is_bf16) ||
         std::any_of(spec.weights.begin(), spec.weights.end(), is_bf16);
}

}  // namespace

double RelativeError(const TensorType& type, const std::byte* expected, const std::byte* actual) {
  const auto count = static_cast<size_t>(ElementCount(type));
  if (type.dtype == DType::kF32) {
    return FloatError(count, reinterpret_cast<const float*>(expected),
                      reinterpret_cast<const float*>(actual));
  }
  if (type.dtype == DType::kBF16) {
    return FloatError(count, reinterpret_cast<const BF16*>(expected),
                      reinterpret_cast<const BF16*>(actual));
  }
  if (count == 0) return 0;
  return std::memcmp(expected, actual, count * SizeOf(type.dtype)) == 0 ? 0 : kInfinity;
}

double ToleranceOf(const LayerSpec& spec, const Implementation& implementation) {
  const bool is_exact = OnlyMoves(spec.op) || std::holds_alternative<Cast>(spec.op) ||
                        std::holds_alternative<Reorder>(spec.op);
  if (is_exact && !HasEpilogue(spec)) return 0;
  const bool is_winograd = implementation.name.find("winograd") != std::string::npos;
  if (HasBF16(spec)) return is_winograd ? 1.0 / 24 : 1.0 / 64;
  return is_winograd ? 1e-3 : 1e-4;
}

}  // namespace fettle
