#pragma once

#include <array>
#include <cstddef>

// Winograd's minimal filtering F(m,3): m outputs of a correlation with 3 taps from m + 2 products
// instead of 3m, and in two dimensions (m + 2)^2 instead of 9m^2.
//
//   Y = A^T [(G g G^T) . (B^T d B)] A       (Lavin & Gray, "Fast Algorithms for Convolutional
//                                            Neural Networks", CVPR 2016)
//
// The matrices are Toom's and Cook's: values of polynomials at 0, infinity and m/2 pairs of points
// +p, -p. A pair shares its even and its odd terms, so that a transform of m + 2 values costs
// little more than m/2 operations each. What a choice of points does is scale rounding errors
// (Barabasz et al., "Error Analysis and Improving the Accuracy of Winograd Convolution for Deep
// Neural Networks", ACM TOMS 2020): for m = 4, sqrt(1/2) and sqrt(2) make the errors several times
// smaller than the customary 1 and 2, and cost the same.

namespace fettle {

template <int kOutputs>
struct WinogradPoints;
template <>
struct WinogradPoints<2> {
  static constexpr std::array<double, 1> kPairs = {1};
};
template <>
struct WinogradPoints<4> {
  static constexpr std::array<double, 2> kPairs = {0.70710678118654752440, 1.41421356237309504880};
};
template <>
struct WinogradPoints<6> {
  static constexpr std::array<double, 3> kPairs = {0.6, 1, 2.1};
};

// One dimension of F(kOutputs, 3). Products are ordered 0, +p, -p for each pair, infinity. V is a
// scalar or a vector of `Scalar`.
template <int kOutputs, typename Scalar = float>
class WinogradTransform {
 public:
  static constexpr int kTile = kOutputs + 2;  // inputs, and products

  // B^T: d[kTile] to v[kTile]. A row is a product of all factors (x - point) but its own.
  template <typename V>
  static inline void Input(const V* d, V* v) {
    for (int odd = 0; odd < 2; ++odd) {  // 0, and infinity
      V sum = d[odd + 2 * kPairs];
      for (int k = 0; k < kPairs; ++k) sum += kCoefficients[kPairs][k] * d[odd + 2 * k];
      v[odd == 0 ? 0 : kTile - 1] = sum;
    }
    for (int i = 0; i < kPairs; ++i) {
      V even = d[kTile - 2], odd = d[kTile - 3];
      for (int k = 0; k < kPairs - 1; ++k) {
        even += kCoefficients[i][k] * d[2 + 2 * k];
        odd += kCoefficients[i][k] * d[1 + 2 * k];
      }
      v[1 + 2 * i] = even + kPowers[i][1] * odd;
      v[2 + 2 * i] = even - kPowers[i][1] * odd;
    }
  }

  // A^T: products m[kTile] to y[kOutputs]. A row is a power of the points.
  template <typename V>
  static inline void Output(const V* m, V* y) {
    V sums[kPairs], differences[kPairs];
    for (int i = 0; i < kPairs; ++i) {
      sums[i] = m[1 + 2 * i] + m[2 + 2 * i];
      differences[i] = m[1 + 2 * i] - m[2 + 2 * i];
    }
    y[0] = m[0];
    for (int i = 0; i < kPairs; ++i) y[0] += sums[i];
    for (int t = 1; t < kOutputs; ++t) {
      const V* terms = t % 2 == 0 ? sums : differences;
      y[t] = kPowers[0][t] * terms[0];
      for (int i = 1; i < kPairs; ++i) y[t] += kPowers[i][t] * terms[i];
    }
    y[kOutputs - 1] += m[kTile - 1];
  }

  // G: taps g[3] to u[kTile]. A row is a power of its point, over what B^T leaves out.
  template <typename V>
  static inline void Filter(const V* g, V* u) {
    double at_zero = 1;
    for (double p : kPoints) at_zero *= -p * p;
    u[0] = g[0] / static_cast<Scalar>(at_zero);
    for (int i = 0; i < kPairs; ++i) {
      const double p = kPoints[i];
      double scale = 2 * p * p;
      for (int j = 0; j < kPairs; ++j) {
        if (j != i) scale *= p * p - kPoints[j] * kPoints[j];
      }
      const V even = g[0] + static_cast<Scalar>(p * p) * g[2], odd = static_cast<Scalar>(p) * g[1];
      u[1 + 2 * i] = (even + odd) / static_cast<Scalar>(scale);
      u[2 + 2 * i] = (even - odd) / static_cast<Scalar>(scale);
    }
    u[kTile - 1] = g[2];
  }

 private:
  static constexpr int kPairs = kOutputs / 2;
  static constexpr std::array<double, kPairs> kPoints = WinogradPoints<kOutputs>::kPairs;

  template <size_t kRows, size_t kColumns>
  using Table = std::array<std::array<Scalar, kColumns>, kRows>;

  // [without][k]: of x^k in the product of (x - p^2) over all pairs but one, or over all.
  static constexpr auto kCoefficients = [] {
    Table<kPairs + 1, kPairs> table{};
    for (int without = 0; without <= kPairs; ++without) {
      std::array<double, kPairs + 1> product = {1};
      for (int j = 0; j < kPairs; ++j) {
        if (j == without) continue;
        for (int k = kPairs; k >= 0; --k) {
          product[k] = (k > 0 ? product[k - 1] : 0) - kPoints[j] * kPoints[j] * product[k];
        }
      }
      for (int k = 0; k < kPairs; ++k) table[without][k] = static_cast<Scalar>(product[k]);
    }
    return table;
  }();

  static constexpr auto kPowers = [] {
    Table<kPairs, kOutputs> table{};
    for (int i = 0; i < kPairs; ++i) {
      double power = 1;
      for (int exponent = 0; exponent < kOutputs; ++exponent, power *= kPoints[i]) {
        table[i][exponent] = static_cast<Scalar>(power);
      }
    }
    return table;
  }();
};

}  // namespace fettle
