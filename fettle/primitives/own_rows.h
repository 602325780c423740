#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/element.h"

// The steps of the float kernels: widen a piece of a row to f32, work on it in the first-level
// cache, and store it through the epilogue. Each is a loop that the compiler vectorises for
// whichever instruction set it is inlined into (own_isa.h).

namespace fettle {

// The most elements that are worked on at once, in a buffer on the stack.
constexpr int64_t kPiece = 512;

template <typename T>
inline void WidenRow(const T* from, int64_t count, float* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) to[i] = Widen(from[i]);
}

template <typename T>
inline void NarrowRow(const float* from, int64_t count, T* to) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) to[i] = Narrow<T>(from[i]);
}

// e^x within 2 units in the last place of an f32, for x clamped to [-87, 88]. The reduction and the
// polynomial are those of Moshier's Cephes library.
inline float FastExp(float x) {
  x = x < -87.0f ? -87.0f : x;
  x = x > 88.0f ? 88.0f : x;
  // Adding 1.5 * 2^23 rounds to an integer and leaves it in the low bits.
  const float shifted = x * 1.44269504f + 12582912.0f;
  const float n = shifted - 12582912.0f;
  const float r = (x - n * 0.693359375f) - n * -2.12194440e-4f;
  float p = 1.9875691500e-4f;
  p = p * r + 1.3981999507e-3f;
  p = p * r + 8.3334519073e-3f;
  p = p * r + 4.1665795894e-2f;
  p = p * r + 1.6666665459e-1f;
  p = p * r + 5.0000001201e-1f;
  p = p * r * r + r + 1.0f;
  const uint32_t exponent = (std::bit_cast<uint32_t>(shifted) - 0x4b400000u + 127u) << 23;
  return p * std::bit_cast<float>(exponent);
}

inline float FastSigmoid(float x) { return 1.0f / (1.0f + FastExp(-x)); }

// Near 0 by a polynomial (Cephes' too), where 1 - 2 / (e^2x + 1) would lose all digits.
inline float FastTanh(float x) {
  const float magnitude = x < 0 ? -x : x;
  const float far = 1.0f - 2.0f / (FastExp(2.0f * magnitude) + 1.0f);
  const float z = x * x;
  float p = -5.70498872745e-3f;
  p = p * z + 2.06390887954e-2f;
  p = p * z - 5.37397155531e-2f;
  p = p * z + 1.33314422036e-1f;
  p = p * z - 3.33332819422e-1f;
  const float near = x + x * z * p;
  return magnitude < 0.625f ? near : (x < 0 ? -far : far);
}

template <typename Function>
inline void MapRow(int64_t count, float* values, const Function& function) {
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) values[i] = function(values[i]);
}

inline float Clamp(float x, float low, float high) {
  x = x < low ? low : x;
  return x > high ? high : x;
}

inline void ActivateRow(const Activation& op, int64_t count, float* values) {
  const float alpha = op.alpha, beta = op.beta;
  switch (op.kind) {
    case ActivationKind::kRelu:
      return MapRow(count, values, [](float x) { return x < 0 ? 0.0f : x; });
    case ActivationKind::kClip:
      return MapRow(count, values, [=](float x) { return Clamp(x, alpha, beta); });
    case ActivationKind::kLeakyRelu:
      return MapRow(count, values, [=](float x) { return x < 0 ? alpha * x : x; });
    case ActivationKind::kSigmoid:
      return MapRow(count, values, [](float x) { return FastSigmoid(x); });
    case ActivationKind::kHardSigmoid:
      return MapRow(count, values, [=](float x) { return Clamp(alpha * x + beta, 0, 1); });
    case ActivationKind::kHardSwish:
      return MapRow(count, values,
                    [](float x) { return x * Clamp(x * (1.0f / 6) + 0.5f, 0.0f, 1.0f); });
    case ActivationKind::kTanh:
      return MapRow(count, values, [](float x) { return FastTanh(x); });
  }
}

// Where a layer's results go: a residual is added, the activation applied, and the type narrowed.
template <typename T>
struct Epilogue {
  const T* residual = nullptr;  // laid out as the output; or null
  std::optional<Activation> activation;
  T* output = nullptr;

  // Stores `count` values, spoiling them, at this offset of the output.
  void Store(float* values, int64_t count, int64_t offset) const {
    if (residual != nullptr) {
      const T* from = residual + offset;
#pragma omp simd
      for (int64_t i = 0; i < count; ++i) values[i] += Widen(from[i]);
    }
    if (activation) ActivateRow(*activation, count, values);
    NarrowRow(values, count, output + offset);
  }
};

// Of a layer whose residual, if it has one, is the last input.
template <typename T>
Epilogue<T> EpilogueOf(const LayerSpec& spec, std::span<const std::byte* const> inputs,
                       std::byte* output) {
  return {spec.adds_residual ? reinterpret_cast<const T*>(inputs.back()) : nullptr, spec.activation,
          reinterpret_cast<T*>(output)};
}

}  // namespace fettle
