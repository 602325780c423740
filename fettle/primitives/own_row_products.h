#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "fettle/primitives/own_vector.h"

// The two inner loops of own_inverted_residual.cpp: rows of pixels times a panel of a matrix, and a
// row of pixels under filters of one channel each. Channels come in panels of 16 or 32, a pixel's
// next to each other; results are cut off at both ends, which is what most activations are.

namespace fettle {

// 12 x 2 sums fill 32 registers of 512 bits, 6 x 1 of ours 16 of 256.
struct WideTile {
  static constexpr int kRows = 12, kVectors = 2;
  static constexpr int kFilterLanes = 16;
};
struct NarrowTile {
  static constexpr int kRows = 6, kVectors = 1;
  static constexpr int kFilterLanes = 8;
};

struct Bounds {
  float low, high;

  template <int kLanes>
  inline void Apply(Vector<kLanes>* values) const {
    const Vector<kLanes> lows = Vector<kLanes>{} + low, highs = Vector<kLanes>{} + high;
    *values = *values < lows ? lows : *values;
    *values = *values > highs ? highs : *values;
  }
};

// to[row] = from[row] + a[row] * panel, over `depth`; where `from` has the stride 0, of a bias, cut
// off at the bounds.
template <typename W>
struct RowProducts {
  int64_t rows, depth;
  const float* a;
  int64_t a_stride;
  const W* panel;  // [depth][width]
  int64_t width;
  const float* from;
  int64_t from_stride;
  float* to;
  int64_t to_stride;
  Bounds bounds;
};

template <int kRows, int kVectors, bool kIsBounded, typename W>
inline void MultiplyRowTile(const RowProducts<W>& products, int64_t row) {
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
      if (kIsBounded) products.bounds.template Apply<kVectorLanes>(&sums[i][j]);
      StoreVector<kVectorLanes>(sums[i][j], to + i * products.to_stride + j * kVectorLanes);
    }
  }
}

// The rows cut into even pieces of at most so many as there are kPieces.
template <int kVectors, bool kIsBounded, typename W, int... kPieces>
inline void MultiplyRowPieces(const RowProducts<W>& products,
                              std::integer_sequence<int, kPieces...>) {
  constexpr int64_t kMostRows = sizeof...(kPieces);
  const int64_t pieces = (products.rows + kMostRows - 1) / kMostRows;
  for (int64_t piece = 0; piece < pieces; ++piece) {
    const int64_t begin = products.rows * piece / pieces;
    const int64_t rows = products.rows * (piece + 1) / pieces - begin;
    ((rows == kPieces + 1 ? MultiplyRowTile<kPieces + 1, kVectors, kIsBounded>(products, begin)
                          : void()),
     ...);
  }
}

// `lanes` of the panel, of 16 or 32, are of interest.
template <typename Tile, bool kIsBounded, typename W>
inline void MultiplyRows(const RowProducts<W>& products, int64_t lanes) {
  const auto pieces = std::make_integer_sequence<int, Tile::kRows>();
  if (lanes > kVectorLanes) {
    MultiplyRowPieces<Tile::kVectors, kIsBounded>(products, pieces);
  } else {
    MultiplyRowPieces<1, kIsBounded>(products, pieces);
  }
}

// A row of outputs, each the sum of its taps with one filter a lane. Every tap is there: padding is
// zeros in the rows.
struct RowFilters {
  const float* const* rows;  // one for each of the window's
  int64_t kernel_y, kernel_x, stride, dilation;
  const float* filters;  // [kernel_y][kernel_x][width]
  int64_t width;
  const float* bias;
  int64_t outputs;
  float* to;
  int64_t to_stride;
  Bounds bounds;
};

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
    row.bounds.template Apply<kLanes>(&sums[i]);
    StoreVector<kLanes>(sums[i], to + i * row.to_stride);
  }
}

template <int kLanes, int kKernel, int kStride, int... kPieces>
inline void FilterPieces(const RowFilters& row, int64_t lanes,
                         std::integer_sequence<int, kPieces...>) {
  constexpr int64_t kMost = sizeof...(kPieces);
  const int64_t pieces = (row.outputs + kMost - 1) / kMost;
  for (int64_t lane = 0; lane < lanes; lane += kLanes) {
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

template <typename Tile>
inline void FilterRow(const RowFilters& row, int64_t lanes) {
  constexpr int kLanes = Tile::kFilterLanes;
  const auto eight = std::make_integer_sequence<int, 8>();
  const bool is_3x3 = row.kernel_y == 3 && row.kernel_x == 3 && row.dilation == 1;
  if (is_3x3 && row.stride == 1) {
    FilterPieces<kLanes, 3, 1>(row, lanes, eight);
  } else if (is_3x3 && row.stride == 2) {
    FilterPieces<kLanes, 3, 2>(row, lanes, eight);
  } else {
    FilterPieces<kLanes, 0, 0>(row, lanes, std::make_integer_sequence<int, 4>());
  }
}

}  // namespace fettle
