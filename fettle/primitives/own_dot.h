#pragma once

#include <cstdint>
#include <cstring>

#include "fettle/primitives/element.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_vector.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

// What a product of matrices is computed in, for the kernels that choose: the operands' element,
// how vectors are rounded to it, and sums += an operand times a vector of weights, over kStep inner
// indices at once. Weights are packed [inner / kStep][16][kStep]. Sums are f32.

namespace fettle {

struct F32Products {
  using Element = float;
  static constexpr int kStep = 1;

  // kStep weights as the 32 bits that AddBroadcast takes.
  static float WordOf(const float* weights) { return *weights; }

  template <int kLanes, typename From>
  static inline void Load(const From* from, Vector<kLanes>* to) {
    LoadVector<kLanes>(from, to);
  }
  template <int kLanes, typename To>
  static inline void Round(const Vector<kLanes>& from, To* to) {
    StoreVector<kLanes>(from, to);
  }
  template <int kLanes>
  static inline void AddProduct(const Vector<kLanes>& input, const Vector<kLanes>& weights,
                                Vector<kLanes>* sums) {
    *sums += input * weights;
  }
  template <int kLanes>
  static inline void AddBroadcast(const float* input, const Vector<kLanes>& weights,
                                  Vector<kLanes>* sums) {
    *sums += *input * weights;
  }
  static inline void Add(const float* input, const float* weights, Vector<kVectorLanes>* sums) {
    Vector<kVectorLanes> row;
    LoadVector<kVectorLanes>(weights, &row);
    *sums += *input * row;
  }
};

#if defined(__x86_64__)

// By AVX-512 BF16, which takes denormals for zeros. For bodies run by RunAvx512BF16.
struct BF16Dots {
  using Element = BF16;
  static constexpr int kStep = 2;

  static float WordOf(const float* weights) {
    const BF16 pair[2] = {Narrow<BF16>(weights[0]), Narrow<BF16>(weights[1])};
    float word;
    std::memcpy(&word, pair, sizeof(word));
    return word;
  }

  // Widens in one step: each word to the upper half of 32 bits.
  template <int kLanes, typename From>
  FETTLE_AVX512_BF16 static inline void Load(const From* from, Vector<kLanes>* to) {
    if constexpr (std::is_same_v<From, BF16> && kLanes == 16) {
      const __m512i places = _mm512_set_epi32(15 << 16, 14 << 16, 13 << 16, 12 << 16, 11 << 16,
                                              10 << 16, 9 << 16, 8 << 16, 7 << 16, 6 << 16, 5 << 16,
                                              4 << 16, 3 << 16, 2 << 16, 1 << 16, 0);
      const __m256i words = _mm256_loadu_si256(reinterpret_cast<const __m256i*>(from));
      const __m512i wide =
          _mm512_maskz_permutexvar_epi16(0xaaaaaaaa, places, _mm512_castsi256_si512(words));
      std::memcpy(to, &wide, sizeof(wide));
    } else {
      LoadVector<kLanes>(from, to);
    }
  }
  // Pairs of an element of one row and the same of another.
  template <int kLanes>
  FETTLE_AVX512_BF16 static inline void LoadPairs(const BF16* first, const BF16* second,
                                                  Vector<kLanes>* to) {
    static_assert(kLanes == 16);
    const __m512i low = _mm512_maskz_cvtepu16_epi32(
        0xffff, _mm256_loadu_si256(reinterpret_cast<const __m256i*>(first)));
    Vector<kLanes> high;
    Load<kLanes>(second, &high);
    const __m512i pairs = _mm512_or_si512(low, reinterpret_cast<const __m512i&>(high));
    std::memcpy(to, &pairs, sizeof(pairs));
  }
  template <int kLanes, typename To>
  FETTLE_AVX512_BF16 static inline void Round(const Vector<kLanes>& from, To* to) {
    if constexpr (std::is_same_v<To, BF16> && kLanes == 16) {
      const __m256bh rounded = _mm512_cvtneps_pbh(reinterpret_cast<const __m512&>(from));
      std::memcpy(to, &rounded, sizeof(rounded));
    } else if constexpr (std::is_same_v<To, BF16> && kLanes == 8) {
      const __m128bh rounded = _mm256_cvtneps_pbh(reinterpret_cast<const __m256&>(from));
      std::memcpy(to, &rounded, sizeof(rounded));
    } else {
      StoreVector<kLanes>(from, to);
    }
  }
  // Of pairs, as vectors of 32 bits.
  template <int kLanes>
  FETTLE_AVX512_BF16 static inline void AddProduct(const Vector<kLanes>& input,
                                                   const Vector<kLanes>& weights,
                                                   Vector<kLanes>* sums) {
    static_assert(kLanes == 16);
    *sums = reinterpret_cast<Vector<16>>(_mm512_dpbf16_ps(reinterpret_cast<__m512>(*sums),
                                                          reinterpret_cast<__m512bh>(input),
                                                          reinterpret_cast<__m512bh>(weights)));
  }
  template <int kLanes>
  FETTLE_AVX512_BF16 static inline void AddBroadcast(const float* input,
                                                     const Vector<kLanes>& weights,
                                                     Vector<kLanes>* sums) {
    int pair;
    std::memcpy(&pair, input, sizeof(pair));
    AddProduct<kLanes>(reinterpret_cast<Vector<kLanes>>(_mm512_set1_epi32(pair)), weights, sums);
  }
  FETTLE_AVX512_BF16 static inline void Add(const BF16* input, const BF16* weights,
                                            Vector<kVectorLanes>* sums) {
    int pair;
    std::memcpy(&pair, input, sizeof(pair));
    const auto row = reinterpret_cast<__m512bh>(_mm512_loadu_si512(weights));
    const auto pairs = reinterpret_cast<__m512bh>(_mm512_set1_epi32(pair));
    *sums = reinterpret_cast<Vector<kVectorLanes>>(
        _mm512_dpbf16_ps(reinterpret_cast<__m512>(*sums), row, pairs));
  }
};

// Products in f32, of which bf16 is made by the instruction that AVX-512 BF16 has for it.
struct F32RoundedProducts : F32Products {
  template <int kLanes, typename From>
  FETTLE_AVX512_BF16 static inline void Load(const From* from, Vector<kLanes>* to) {
    BF16Dots::Load<kLanes>(from, to);
  }
  template <int kLanes, typename To>
  FETTLE_AVX512_BF16 static inline void Round(const Vector<kLanes>& from, To* to) {
    BF16Dots::Round<kLanes>(from, to);
  }
};

#endif

}  // namespace fettle
