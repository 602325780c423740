#pragma once

#include <cstdint>

#include "fettle/core/target.h"

// Loops over elements, written once and compiled for each width of vector registers.

namespace fettle {

enum class VectorCode : uint8_t { kBase, kAvx2, kAvx512 };

inline VectorCode BestVectorCode(const Target& target) {
  if (target.has_avx512) return VectorCode::kAvx512;
  return target.has_avx2 ? VectorCode::kAvx2 : VectorCode::kBase;
}

#if defined(__x86_64__)
template <typename Loop>
__attribute__((target("avx2,fma"))) void RunAvx2(const Loop& loop) {
  loop();
}
template <typename Loop>
__attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,avx2,fma,prefer-vector-width=512"))) void
RunAvx512(const Loop& loop) {
  loop();
}
#endif

// Runs the loop (a lambda marked FETTLE_LOOP, which is inlined) with the given instructions.
template <typename Loop>
void RunLoop([[maybe_unused]] VectorCode code, const Loop& loop) {
#if defined(__x86_64__)
  if (code == VectorCode::kAvx512) return RunAvx512(loop);
  if (code == VectorCode::kAvx2) return RunAvx2(loop);
#endif
  loop();
}

#define FETTLE_LOOP __attribute__((always_inline))

// Between the limits; NaN stays NaN.
inline float Clamped(float value, float low, float high) {
  const float above = value < low ? low : value;
  return above > high ? high : above;
}

}  // namespace fettle
