#pragma once

#include <cstdint>
#include <cstring>

#include "fettle/primitives/element.h"

namespace fettle {

// The floats of a vector of sums in our matrix products.
constexpr int kVectorLanes = 16;

// kLanes floats in registers, by the compiler's vector extension: one 512-bit register, two of 256
// bits or four of 128, whatever the instruction set that the code is inlined into has (own_isa.h).
// Handed about by pointer, since how a vector is passed by value depends on the instruction set.
template <int kLanes>
struct VectorOf {
  typedef float Floats __attribute__((vector_size(kLanes * sizeof(float))));
  typedef uint32_t Words __attribute__((vector_size(kLanes * sizeof(uint32_t))));
  typedef uint16_t Halves __attribute__((vector_size(kLanes * sizeof(uint16_t))));
};

template <int kLanes>
using Vector = typename VectorOf<kLanes>::Floats;

template <int kLanes>
inline void LoadVector(const float* from, Vector<kLanes>* to) {
  std::memcpy(to, from, sizeof(*to));
}

template <int kLanes>
inline void LoadVector(const BF16* from, Vector<kLanes>* to) {
  typename VectorOf<kLanes>::Halves halves;
  std::memcpy(&halves, from, sizeof(halves));
  const auto words = __builtin_convertvector(halves, typename VectorOf<kLanes>::Words) << 16;
  std::memcpy(to, &words, sizeof(*to));
}

template <int kLanes>
inline void StoreVector(const Vector<kLanes>& from, float* to) {
  std::memcpy(to, &from, sizeof(from));
}

// Rounds as Narrow<BF16> does (element.h).
template <int kLanes>
inline void StoreVector(const Vector<kLanes>& from, BF16* to) {
  using Words = typename VectorOf<kLanes>::Words;
  Words bits;
  std::memcpy(&bits, &from, sizeof(bits));
  const Words rounded = (bits + 0x7fff + ((bits >> 16) & 1)) >> 16, quiet = (bits >> 16) | 0x40;
  const Words chosen = (bits & 0x7fffffff) > 0x7f800000 ? quiet : rounded;
  const auto halves = __builtin_convertvector(chosen, typename VectorOf<kLanes>::Halves);
  std::memcpy(to, &halves, sizeof(halves));
}

// `count` elements as f32, by vectors as long as they fit, the last of them over the one before.
template <int kLanes, typename T>
inline void CopyElements(const T* from, int64_t count, float* to) {
  if (count >= kLanes) {
    Vector<kLanes> values;
    for (int64_t i = 0; i + kLanes <= count; i += kLanes) {
      LoadVector<kLanes>(from + i, &values);
      StoreVector<kLanes>(values, to + i);
    }
    LoadVector<kLanes>(from + count - kLanes, &values);
    StoreVector<kLanes>(values, to + count - kLanes);
  } else if constexpr (kLanes > 4) {
    CopyElements<kLanes / 2>(from, count, to);
  } else {
    for (int64_t i = 0; i < count; ++i) to[i] = Widen(from[i]);
  }
}

}  // namespace fettle
