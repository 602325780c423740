#pragma once

#include <array>

// The discrete Fourier transform of vectors: number i of each lane is re[i] + i im[i]. Unrolled at
// compile time by the decimation in time of Cooley & Tukey (1965), which for 8 and 16 points needs
// so few products (8 and 40 as written here) that nothing cleverer pays.

namespace fettle {

// The cosines of sixteenths of a turn.
inline constexpr std::array<double, 16> kCosines = {
    1,  0.92387953251128674,  0.70710678118654752,  0.38268343236508977,
    0,  -0.38268343236508977, -0.70710678118654752, -0.92387953251128674,
    -1, -0.92387953251128674, -0.70710678118654752, -0.38268343236508977,
    0,  0.38268343236508977,  0.70710678118654752,  0.92387953251128674};

// to[k] = sum_j from[j * kStride] exp(-+ 2 pi i j k / kSize): minus, or plus where kIsInverse.
// kSize: a power of two up to 16.
template <int kSize, bool kIsInverse, int kStride = 1, typename V>
inline void Fft(const V* re, const V* im, V* to_re, V* to_im) {
  if constexpr (kSize == 1) {
    to_re[0] = re[0];
    to_im[0] = im[0];
  } else {
    constexpr int kHalf = kSize / 2;
    V even_re[kHalf], even_im[kHalf], odd_re[kHalf], odd_im[kHalf];
    Fft<kHalf, kIsInverse, 2 * kStride>(re, im, even_re, even_im);
    Fft<kHalf, kIsInverse, 2 * kStride>(re + kStride, im + kStride, odd_re, odd_im);
#pragma GCC unroll 8
    for (int k = 0; k < kHalf; ++k) {
      const int turn = k * 16 / kSize;
      const auto c = static_cast<float>(kCosines[turn]);
      const auto s = static_cast<float>((kIsInverse ? 1 : -1) * kCosines[(turn + 12) % 16]);
      V turned_re = odd_re[k], turned_im = odd_im[k];
      if (4 * k == kSize) {
        turned_re = kIsInverse ? -odd_im[k] : odd_im[k];
        turned_im = kIsInverse ? odd_re[k] : -odd_re[k];
      } else if (k != 0) {
        turned_re = c * odd_re[k] - s * odd_im[k];
        turned_im = s * odd_re[k] + c * odd_im[k];
      }
      to_re[k] = even_re[k] + turned_re;
      to_im[k] = even_im[k] + turned_im;
      to_re[k + kHalf] = even_re[k] - turned_re;
      to_im[k + kHalf] = even_im[k] - turned_im;
    }
  }
}

// What is independent in the spectrum of kSize x kSize real numbers, as the real numbers that are
// multiplied: each complex one by three products (Gauss), from re + im, re and im; and four that
// are real. In this order: kSize vertical frequencies of each horizontal one from 1 to half less
// one; then those of the horizontal frequencies 0 and half in turn, from 1 to half less one; and
// the four, (0,0), (0,half), (half,0), (half,half), vertical first.
template <int kSize>
struct FftPositions {
  static constexpr int kHalf = kSize / 2;
  static constexpr int kMiddle = (kHalf - 1) * kSize;   // complex
  static constexpr int kOuter = 2 * (kHalf - 1);        // complex
  static constexpr int kReal = 3 * (kMiddle + kOuter);  // the first of the four
  static constexpr int kCount = kReal + 4;

  static constexpr int OfMiddle(int x, int y) { return 3 * ((x - 1) * kSize + y); }
  static constexpr int OfOuter(int y, bool is_half) {
    return 3 * (kMiddle + 2 * (y - 1) + (is_half ? 1 : 0));
  }
};

}  // namespace fettle
