#pragma once

#include <algorithm>
#include <cstdint>

#include "fettle/primitives/fft.h"
#include "fettle/primitives/own_dot.h"
#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_tile.h"
#include "fettle/primitives/own_vector.h"

// What own_fft_conv.cpp does with each tile: its inputs to V, and M to its outputs. Everything is
// real, so two rows are transformed as one, the second being the imaginary part; what comes of
// them are two spectra of which the upper half follows from the lower. The factors of 2 that taking
// these apart leaves behind are the filters' to undo.

namespace fettle {

template <int kLanes>
inline void StoreFactors(const Vector<kLanes>& re, const Vector<kLanes>& im, int64_t stride,
                         float* to) {
  StoreVector<kLanes>(re + im, to);
  StoreVector<kLanes>(re, to + stride);
  StoreVector<kLanes>(im, to + 2 * stride);
}

// kLanes channels of a tile, from `lane` of each of its pixels on.
template <int kSize, int kLanes, typename T>
inline void FftPixels(const T* const* pixels, int64_t lane, int64_t stride, float* v) {
  using Positions = FftPositions<kSize>;
  constexpr int kHalf = kSize / 2;
  // By horizontal frequency, then row. Frequencies 0 and half are real: the parts of number 0.
  Vector<kLanes> re[kHalf][kSize], im[kHalf][kSize];
#pragma GCC unroll 1
  for (int row = 0; row < kSize; row += 2) {
    Vector<kLanes> a[kSize], b[kSize], to_re[kSize], to_im[kSize];
#pragma GCC unroll 16
    for (int j = 0; j < kSize; ++j) {
      LoadVector<kLanes>(pixels[row * kSize + j] + lane, &a[j]);
      LoadVector<kLanes>(pixels[(row + 1) * kSize + j] + lane, &b[j]);
    }
    Fft<kSize, false>(a, b, to_re, to_im);
    re[0][row] = to_re[0] + to_re[0];
    im[0][row] = to_re[kHalf] + to_re[kHalf];
    re[0][row + 1] = to_im[0] + to_im[0];
    im[0][row + 1] = to_im[kHalf] + to_im[kHalf];
#pragma GCC unroll 8
    for (int k = 1; k < kHalf; ++k) {
      re[k][row] = to_re[k] + to_re[kSize - k];
      im[k][row] = to_im[k] - to_im[kSize - k];
      re[k][row + 1] = to_im[k] + to_im[kSize - k];
      im[k][row + 1] = to_re[kSize - k] - to_re[k];
    }
  }
#pragma GCC unroll 1
  for (int k = 0; k < kHalf; ++k) {
    Vector<kLanes> to_re[kSize], to_im[kSize];
    Fft<kSize, false>(re[k], im[k], to_re, to_im);
    if (k > 0) {
#pragma GCC unroll 16
      for (int y = 0; y < kSize; ++y) {
        StoreFactors<kLanes>(to_re[y], to_im[y], stride, v + Positions::OfMiddle(k, y) * stride);
      }
      continue;
    }
#pragma GCC unroll 8
    for (int y = 1; y < kHalf; ++y) {
      StoreFactors<kLanes>(to_re[y] + to_re[kSize - y], to_im[y] - to_im[kSize - y], stride,
                           v + Positions::OfOuter(y, false) * stride);
      StoreFactors<kLanes>(to_im[y] + to_im[kSize - y], to_re[kSize - y] - to_re[y], stride,
                           v + Positions::OfOuter(y, true) * stride);
    }
    StoreVector<kLanes>(to_re[0], v + Positions::kReal * stride);
    StoreVector<kLanes>(to_im[0], v + (Positions::kReal + 1) * stride);
    StoreVector<kLanes>(to_re[kHalf], v + (Positions::kReal + 2) * stride);
    StoreVector<kLanes>(to_im[kHalf], v + (Positions::kReal + 3) * stride);
  }
}

// All channels of a tile.
template <int kSize, int kLanes, typename T>
inline void FftTileInputs(const TileLayer& layer, const T* x, int64_t tile, float* v) {
  ForTileLanes<kSize, kLanes>(
      layer, x, tile, [&](const T* const* pixels, int64_t lane, int64_t channel) {
        FftPixels<kSize, kLanes>(pixels, lane, layer.v_channels, v + channel);
      });
}

// A product of spectra from its three factors, `stride` floats from one to the next.
template <int kLanes>
inline void LoadProduct(const float* m, int64_t stride, Vector<kLanes>* re, Vector<kLanes>* im) {
  Vector<kLanes> sum, of_re, of_im;
  LoadVector<kLanes>(m, &sum);
  LoadVector<kLanes>(m + stride, &of_re);
  LoadVector<kLanes>(m + 2 * stride, &of_im);
  *re = sum - of_im;
  *im = sum + of_re;
}

// kLanes outputs of a tile by horizontal frequency and row, as FftPixels has them; `stride` floats
// from position to position.
template <int kSize, int kLanes>
inline void InverseColumns(const float* m, int64_t stride, Vector<kLanes> (*re)[kSize],
                           Vector<kLanes> (*im)[kSize]) {
  using Positions = FftPositions<kSize>;
  constexpr int kHalf = kSize / 2;
  Vector<kLanes> a[kSize], b[kSize];
#pragma GCC unroll 1
  for (int k = 1; k < kHalf; ++k) {
#pragma GCC unroll 16
    for (int y = 0; y < kSize; ++y) {
      LoadProduct<kLanes>(m + Positions::OfMiddle(k, y) * stride, stride, &a[y], &b[y]);
    }
    Fft<kSize, true>(a, b, re[k], im[k]);
  }
#pragma GCC unroll 8
  for (int y = 1; y < kHalf; ++y) {
    Vector<kLanes> zero_re, zero_im, half_re, half_im;
    LoadProduct<kLanes>(m + Positions::OfOuter(y, false) * stride, stride, &zero_re, &zero_im);
    LoadProduct<kLanes>(m + Positions::OfOuter(y, true) * stride, stride, &half_re, &half_im);
    a[y] = zero_re - half_im;
    b[y] = zero_im + half_re;
    a[kSize - y] = zero_re + half_im;
    b[kSize - y] = half_re - zero_im;
  }
  const float* real = m + Positions::kReal * stride;
  LoadVector<kLanes>(real, &a[0]);
  LoadVector<kLanes>(real + stride, &b[0]);
  LoadVector<kLanes>(real + 2 * stride, &a[kHalf]);
  LoadVector<kLanes>(real + 3 * stride, &b[kHalf]);
  Fft<kSize, true>(a, b, re[0], im[0]);
}

// Two rows of outputs.
template <int kSize, int kLanes>
inline void InverseRows(const Vector<kLanes> (*re)[kSize], const Vector<kLanes> (*im)[kSize],
                        int row, Vector<kLanes>* first, Vector<kLanes>* second) {
  constexpr int kHalf = kSize / 2;
  Vector<kLanes> a[kSize], b[kSize];
  a[0] = re[0][row];
  b[0] = re[0][row + 1];
  a[kHalf] = im[0][row];
  b[kHalf] = im[0][row + 1];
#pragma GCC unroll 8
  for (int k = 1; k < kHalf; ++k) {
    a[k] = re[k][row] - im[k][row + 1];
    b[k] = im[k][row] + re[k][row + 1];
    a[kSize - k] = re[k][row] + im[k][row + 1];
    b[kSize - k] = re[k][row + 1] - im[k][row];
  }
  Fft<kSize, true>(a, b, first, second);
}

// A tile's outputs of a chunk, of which `m` holds the products: `count` channels from `channel`.
template <int kSize, int kLanes, typename T>
inline void FftTileOutputs(const TileLayer& layer, int64_t tile, const float* m, int64_t channel,
                           int64_t count, const VectorEpilogue<T>& epilogue) {
  const TilePosition at = TileAt(layer, tile);
  const int64_t rows = std::min(layer.rows, layer.plane.y.output - at.y);
  const int64_t columns = std::min(layer.columns, layer.plane.x.output - at.x);
  const int64_t width = layer.plane.x.output, lanes = layer.output.lanes;
  for (int64_t first = 0; first < count; first += kLanes) {
    Vector<kLanes> re[kSize / 2][kSize], im[kSize / 2][kSize], bias;
    InverseColumns<kSize, kLanes>(m + first, layer.m_position, re, im);
    LoadVector<kLanes>(layer.bias.data() + channel + first, &bias);
    const int64_t group = (channel + first) / lanes, lane = (channel + first) % lanes;
    const int64_t plane = (at.image * layer.output.groups + group) * layer.output.space;
    OutputStrip strip{(plane + at.y * width + at.x) * lanes + lane, lanes, columns,
                      std::min<int64_t>(count - first, kLanes)};
#pragma GCC unroll 1
    for (int row = 0; row < rows; row += 2) {
      Vector<kLanes> pair[2][kSize];
      InverseRows<kSize, kLanes>(re, im, row, pair[0], pair[1]);
      const int64_t whole = std::min<int64_t>(rows - row, 2);
      for (int64_t i = 0; i < whole; ++i, strip.offset += width * lanes) {
#pragma GCC unroll 16
        for (int j = 0; j < kSize; ++j) pair[i][j] += bias;
        FinishVectors<kLanes, kSize, F32Products>(epilogue, strip, pair[i]);
      }
    }
  }
}

}  // namespace fettle
