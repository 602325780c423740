#include "fettle/primitives/own_row_products.h"

#include <cstring>
#include <utility>

#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_vector.h"

namespace fettle {
namespace {

template <int kLanes>
inline void Cut(Bounds bounds, Vector<kLanes>* values) {
  const Vector<kLanes> low = Vector<kLanes>{} + bounds.low, high = Vector<kLanes>{} + bounds.high;
  *values = *values < low ? low : *values;
  *values = *values > high ? high : *values;
}

// A vector that is ready, or the first half of one.
inline void Finish(const float* residual, Bounds bounds, bool is_half, Vector<kVectorLanes>* sums,
                   float* to) {
  constexpr size_t kHalf = sizeof(*sums) / 2;
  if (residual != nullptr) {
    Vector<kVectorLanes> more{};
    if (is_half) {
      std::memcpy(&more, residual, kHalf);
    } else {
      LoadVector<kVectorLanes>(residual, &more);
    }
    *sums += more;
  }
  Cut<kVectorLanes>(bounds, sums);
  if (is_half) {
    std::memcpy(to, sums, kHalf);
  } else {
    StoreVector<kVectorLanes>(*sums, to);
  }
}

template <int kRows, int kVectors, bool kIsReady, typename W>
inline void MultiplyRowTile(const RowProducts<W>& products, Bounds bounds, int64_t row) {
  Vector<kVectorLanes> sums[kRows][kVectors];
  const float* from = products.from + row * products.from_stride;
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      LoadVector<kVectorLanes>(from + i * products.from_stride + j * kVectorLanes, &sums[i][j]);
    }
  }
  const float* a = products.a + row * products.a_stride;
  const W* panel = products.panel;
  for (int64_t k = 0; k < products.depth; ++k, panel += products.width) {
    Vector<kVectorLanes> weights[kVectors];
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      LoadVector<kVectorLanes>(panel + j * kVectorLanes, &weights[j]);
    }
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) sums[i][j] += a[i * products.a_stride + k] * weights[j];
    }
  }
  float* to = products.to + row * products.to_stride;
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      float* const at = to + i * products.to_stride + j * kVectorLanes;
      if constexpr (kIsReady) {
        const bool is_half = j + 1 == kVectors && products.lanes - j * kVectorLanes == 8;
        Finish(products.residual == nullptr ? nullptr : products.residual + (at - products.to),
               bounds, is_half, &sums[i][j], at);
      } else {
        StoreVector<kVectorLanes>(sums[i][j], at);
      }
    }
  }
}

// The rows cut into even pieces of at most so many as there are kPieces.
template <int kVectors, bool kIsReady, typename W, int... kPieces>
inline void MultiplyRowPieces(const RowProducts<W>& products, Bounds bounds,
                              std::integer_sequence<int, kPieces...>) {
  constexpr int64_t kMostRows = sizeof...(kPieces);
  const int64_t pieces = (products.rows + kMostRows - 1) / kMostRows;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t begin = products.rows * piece / pieces;
    const int64_t rows = products.rows * (piece + 1) / pieces - begin;
    ((rows == kPieces + 1
          ? MultiplyRowTile<kPieces + 1, kVectors, kIsReady>(products, bounds, begin)
          : void()),
     ...);
  }
}

// 12 x 2 sums fill 32 registers of 512 bits, 6 x 1 of ours 16 of 256.
template <bool kIsReady, typename W>
void MultiplyRowsOn(const Target& target, const RowProducts<W>& products, Bounds bounds) {
#if defined(__x86_64__)
  if (target.has_avx512) {
    const auto rows = std::make_integer_sequence<int, 12>();
    if (products.lanes <= kVectorLanes) {
      return RunAvx512([&] { MultiplyRowPieces<1, kIsReady>(products, bounds, rows); });
    }
    return RunAvx512([&] { MultiplyRowPieces<2, kIsReady>(products, bounds, rows); });
  }
#endif
  WithIsa(target, [&] {
    MultiplyRowPieces<1, kIsReady>(products, bounds, std::make_integer_sequence<int, 6>());
  });
}

// kCount neighbouring outputs. kKernel x kKernel taps that are neighbours too, so that a pixel that
// is loaded serves several outputs; or with kKernel 0 any.
template <int kLanes, int kKernel, int kStride, int kCount>
inline void FilterOutputs(const RowFilters& row, int64_t lane, int64_t output) {
  Vector<kLanes> sums[kCount];
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) LoadVector<kLanes>(row.bias + lane, &sums[i]);
  const int64_t at = output * row.stride * row.width + lane;
  const float* filters = row.filters + lane;
  if constexpr (kKernel > 0) {
#pragma GCC unroll 3
    for (int ky = 0; ky < kKernel; ++ky) {
      Vector<kLanes> taps[kKernel];
#pragma GCC unroll 3
      for (int kx = 0; kx < kKernel; ++kx, filters += row.width) {
        LoadVector<kLanes>(filters, &taps[kx]);
      }
      const float* from = row.rows[ky] + at;
#pragma GCC unroll 18
      for (int x = 0; x < (kCount - 1) * kStride + kKernel; ++x, from += row.width) {
        Vector<kLanes> value;
        LoadVector<kLanes>(from, &value);
#pragma GCC unroll 3
        for (int kx = 0; kx < kKernel; ++kx) {
          const int ahead = x - kx;
          if (ahead >= 0 && ahead % kStride == 0 && ahead / kStride < kCount) {
            sums[ahead / kStride] += value * taps[kx];
          }
        }
      }
    }
  } else {
    for (int64_t ky = 0; ky < row.kernel_y; ++ky) {
      for (int64_t kx = 0; kx < row.kernel_x; ++kx, filters += row.width) {
        Vector<kLanes> tap;
        LoadVector<kLanes>(filters, &tap);
        const float* from = row.rows[ky] + at + kx * row.dilation * row.width;
#pragma GCC unroll 8
        for (int i = 0; i < kCount; ++i) {
          Vector<kLanes> value;
          LoadVector<kLanes>(from + i * row.stride * row.width, &value);
          sums[i] += value * tap;
        }
      }
    }
  }
  float* to = row.to + output * row.to_stride + lane;
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) {
    Cut<kLanes>(row.bounds, &sums[i]);
    StoreVector<kLanes>(sums[i], to + i * row.to_stride);
  }
}

template <int kLanes, int kKernel, int kStride, int... kPieces>
inline void FilterPieces(const RowFilters& row, std::integer_sequence<int, kPieces...>) {
  constexpr int64_t kMost = sizeof...(kPieces);
  const int64_t pieces = (row.outputs + kMost - 1) / kMost;
  for (int64_t lane = 0; lane < row.lanes; lane += kLanes) {
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const int64_t begin = row.outputs * piece / pieces;
      const int64_t count = row.outputs * (piece + 1) / pieces - begin;
      ((count == kPieces + 1
            ? FilterOutputs<kLanes, kKernel, kStride, kPieces + 1>(row, lane, begin)
            : void()),
       ...);
    }
  }
}

template <int kLanes>
void FilterRowOn(const Target& target, const RowFilters& row) {
  const auto eight = std::make_integer_sequence<int, 8>();
  const bool is_3x3 = row.kernel_y == 3 && row.kernel_x == 3 && row.dilation == 1;
  if (is_3x3 && row.stride == 1) {
    WithIsa(target, [&] { FilterPieces<kLanes, 3, 1>(row, eight); });
  } else if (is_3x3 && row.stride == 2) {
    WithIsa(target, [&] { FilterPieces<kLanes, 3, 2>(row, eight); });
  } else {
    const auto four = std::make_integer_sequence<int, 4>();
    WithIsa(target, [&] { FilterPieces<kLanes, 0, 0>(row, four); });
  }
}

}  // namespace

void MultiplyRows(const Target& target, const RowProducts<float>& products) {
  MultiplyRowsOn<false>(target, products, {});
}
void MultiplyRows(const Target& target, const RowProducts<BF16>& products) {
  MultiplyRowsOn<false>(target, products, {});
}
void MultiplyRows(const Target& target, const RowProducts<float>& products, Bounds bounds) {
  MultiplyRowsOn<true>(target, products, bounds);
}
void MultiplyRows(const Target& target, const RowProducts<BF16>& products, Bounds bounds) {
  MultiplyRowsOn<true>(target, products, bounds);
}

void FilterRow(const Target& target, const RowFilters& row) {
  if (target.has_avx512) return FilterRowOn<16>(target, row);
  FilterRowOn<8>(target, row);
}

}  // namespace fettle
