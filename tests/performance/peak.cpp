#include "tests/performance/peak.h"

#include <algorithm>
#include <chrono>

#include "fettle/primitives/own_isa.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace fettle {
namespace {

#if defined(__x86_64__)

constexpr int kRepeats = 1'000'000, kTries = 5;
constexpr int kSums = 12;  // enough to hide a latency of four to six cycles at two a cycle

// An empty statement that the compiler takes for one that changes the value in its register.
#define FETTLE_KEEP(value) asm volatile("" : "+v"(value))

__attribute__((target("avx2,fma"))) void MultiplyAddAvx2() {
  __m256 sums[kSums] = {};
  const __m256 a = _mm256_set1_ps(0.5F), b = _mm256_set1_ps(1);
  for (__m256& sum : sums) FETTLE_KEEP(sum);  // or all would be one
  for (int i = 0; i < kRepeats; ++i) {
#pragma GCC unroll 12
    for (__m256& sum : sums) sum = _mm256_fmadd_ps(sum, a, b);
  }
  for (__m256& sum : sums) FETTLE_KEEP(sum);
}

FETTLE_AVX512 void MultiplyAddAvx512() {
  __m512 sums[kSums] = {};
  const __m512 a = _mm512_set1_ps(0.5F), b = _mm512_set1_ps(1);
  for (__m512& sum : sums) FETTLE_KEEP(sum);  // or all would be one
  for (int i = 0; i < kRepeats; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_fmadd_ps(sum, a, b);
  }
  for (__m512& sum : sums) FETTLE_KEEP(sum);
}

FETTLE_AVX512_BF16 void DotAvx512() {
  __m512 sums[kSums] = {};
  const __m512bh a = (__m512bh)_mm512_set1_epi16(0x3f00), b = (__m512bh)_mm512_set1_epi16(0x3f80);
  for (__m512& sum : sums) FETTLE_KEEP(sum);  // or all would be one
  for (int i = 0; i < kRepeats; ++i) {
#pragma GCC unroll 12
    for (__m512& sum : sums) sum = _mm512_dpbf16_ps(sum, a, b);
  }
  for (__m512& sum : sums) FETTLE_KEEP(sum);
}

// `operations` are those of one of the loop's instructions.
double BestGflops(void (*loop)(), double operations) {
  double best = 0;
  for (int i = 0; i < kTries; ++i) {
    const auto start = std::chrono::steady_clock::now();
    loop();
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    best = std::max(best, 1e-9 * operations * kSums * kRepeats / seconds.count());
  }
  return best;
}

#endif

}  // namespace

double PeakGflops(DType dtype, const Target& target) {
#if defined(__x86_64__)
  if (dtype == DType::kBF16 && target.has_avx512_bf16) return BestGflops(DotAvx512, 64);
  if (target.has_avx512) return BestGflops(MultiplyAddAvx512, 32);
  if (target.has_avx2) return BestGflops(MultiplyAddAvx2, 16);
#endif
  return 0;
}

}  // namespace fettle
