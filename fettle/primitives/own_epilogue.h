#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <limits>

#include "fettle/core/target.h"
#include "fettle/primitives/own_dot.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/own_vector.h"

// The end of a convolution whose sums are in registers: a residual is added, the activation
// applied, and the vectors narrowed and stored. Nothing, ReLU and clip stay in registers; other
// activations pass through a few lines of memory, where ActivateRow (own_rows.h) has their formulas
// once.

namespace fettle {

// Copies `count` elements, at most kMost (a power of two), in pieces of sizes that are known to the
// compiler.
template <int kMost, typename T>
inline void CopyLanes(const T* from, int64_t count, T* to) {
#pragma GCC unroll 8
  for (int piece = kMost; piece > 0; piece /= 2) {
    if ((count & piece) == 0) continue;
    std::memcpy(to, from, static_cast<size_t>(piece) * sizeof(T));
    from += piece;
    to += piece;
  }
}

// The first `lanes` of a vector, zeros in the others.
template <int kLanes, typename Products, typename T>
inline void LoadLanes(const T* from, int64_t lanes, Vector<kLanes>* to) {
  if (lanes == kLanes) return Products::template Load<kLanes>(from, to);
  T buffer[kLanes] = {};
  CopyLanes<kLanes>(from, lanes, buffer);
  Products::template Load<kLanes>(buffer, to);
}

// ActivateRow, compiled for the target's instruction set.
using ActivateFunction = void (*)(const Activation& activation, int64_t count, float* values);
ActivateFunction ActivateFunctionFor(const Target& target);

// An epilogue as vectors need it, made once a run.
template <typename T>
struct VectorEpilogue {
  VectorEpilogue(const Epilogue<T>& epilogue, const Target& target)
      : residual(epilogue.residual), output(epilogue.output) {
    if (!epilogue.activation) return;
    other = *epilogue.activation;
    const bool is_clip = other.kind == ActivationKind::kClip;
    is_bounded = is_clip || other.kind == ActivationKind::kRelu;
    low = is_clip ? other.alpha : 0;
    high = is_clip ? other.beta : std::numeric_limits<float>::infinity();
    if (!is_bounded) activate = ActivateFunctionFor(target);
  }

  const T* residual;
  T* output;
  bool is_bounded = false;  // the activation clips to [low, high]
  float low = 0, high = 0;
  Activation other;
  ActivateFunction activate = nullptr;  // does `other`, where it is none that clips
};

// Where vectors of outputs go: `count` of them, `stride` elements apart, of `lanes` channels each.
struct OutputStrip {
  int64_t offset = 0, stride = 0;
  int64_t count = 0, lanes = 0;
};

#if defined(__x86_64__)
// A NaN stays one: where there is one, these instructions take their second operand.
FETTLE_AVX512 inline void Clip512(float low, float high, Vector<16>* values) {
  constexpr __mmask16 kAll = 0xffff;
  const auto value = reinterpret_cast<const __m512&>(*values);
  const __m512 above = _mm512_mask_max_ps(value, kAll, _mm512_set1_ps(low), value);
  const __m512 within = _mm512_mask_min_ps(above, kAll, _mm512_set1_ps(high), above);
  std::memcpy(values, &within, sizeof(within));
}
#endif

// Vectors of 16 are of AVX-512 here.
template <int kLanes>
inline void Clip(float low, float high, Vector<kLanes>* values) {
#if defined(__x86_64__)
  if constexpr (kLanes == 16) return Clip512(low, high, values);
#endif
  // What is left when nothing is taken away: the value in every lane.
  const Vector<kLanes> lows = low - Vector<kLanes>{}, highs = high - Vector<kLanes>{};
  *values = *values < lows ? lows : *values;
  *values = *values > highs ? highs : *values;
}

// Of vectors that are not full or have an activation of many steps. `values` is spoiled.
template <int kLanes, typename Products, typename T>
inline void FinishInMemory(const VectorEpilogue<T>& epilogue, const OutputStrip& strip,
                           float* values) {
  Vector<kLanes> sums;
  if (epilogue.residual != nullptr) {
#pragma GCC unroll 1
    for (int64_t i = 0; i < strip.count; ++i) {
      Vector<kLanes> residual{};
      LoadVector<kLanes>(values + i * kLanes, &sums);
      LoadLanes<kLanes, Products>(epilogue.residual + strip.offset + i * strip.stride, strip.lanes,
                                  &residual);
      StoreVector<kLanes>(sums + residual, values + i * kLanes);
    }
  }
  if (epilogue.activate != nullptr) {
    epilogue.activate(epilogue.other, strip.count * kLanes, values);
  }
  T* output = epilogue.output + strip.offset;
#pragma GCC unroll 1
  for (int64_t i = 0; i < strip.count; ++i, output += strip.stride) {
    LoadVector<kLanes>(values + i * kLanes, &sums);
    if (epilogue.is_bounded) Clip<kLanes>(epilogue.low, epilogue.high, &sums);
    if (strip.lanes == kLanes) {
      Products::template Round<kLanes>(sums, output);
    } else {
      T narrow[kLanes];
      Products::template Round<kLanes>(sums, narrow);
      CopyLanes<kLanes>(narrow, strip.lanes, output);
    }
  }
}

// Finishes the first strip.count of kCount vectors, which it spoils. Products says how they are
// rounded to T (own_dot.h).
template <int kLanes, int kCount, typename Products, typename T>
inline void FinishVectors(const VectorEpilogue<T>& epilogue, const OutputStrip& strip,
                          Vector<kLanes>* sums) {
  if (strip.lanes != kLanes || epilogue.activate != nullptr) {
    float values[kCount * kLanes];
#pragma GCC unroll 16
    for (int i = 0; i < kCount; ++i) StoreVector<kLanes>(sums[i], values + int64_t{i} * kLanes);
    return FinishInMemory<kLanes, Products>(epilogue, strip, values);
  }
  // In locals, or they would be loaded anew behind every vector that is stored.
  const int64_t count = strip.count, stride = strip.stride;
  if (epilogue.residual != nullptr) {
    const T* residual = epilogue.residual + strip.offset;
#pragma GCC unroll 16
    for (int i = 0; i < kCount; ++i) {
      if (i >= count) break;
      Vector<kLanes> addend;
      Products::template Load<kLanes>(residual + i * stride, &addend);
      sums[i] += addend;
    }
  }
  if (epilogue.is_bounded) {
    const float low = epilogue.low, high = epilogue.high;
#pragma GCC unroll 16
    for (int i = 0; i < kCount; ++i) Clip<kLanes>(low, high, &sums[i]);
  }
  T* output = epilogue.output + strip.offset;
#pragma GCC unroll 16
  for (int i = 0; i < kCount; ++i, output += stride) {
    if (i >= count) break;
    Products::template Round<kLanes>(sums[i], output);
  }
}

}  // namespace fettle
