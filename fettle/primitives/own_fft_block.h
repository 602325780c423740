#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/fft.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/own_tile_products.h"
#include "fettle/primitives/own_vector.h"

// What own_fft_conv.cpp does with each tile: its inputs to V, and M to its outputs. Everything is
// real, so two rows are transformed as one, the second being the imaginary part; what comes of
// them are two spectra of which the upper half follows from the lower. The factors of 2 that taking
// these apart leaves behind are the filters' to undo.

namespace fettle {

// V[tile][position][channel], M[tile][position][output of a chunk]; see WinogradLayer.
struct FftLayer {
  WindowPlane plane;
  ChannelView input, output;
  int64_t rows = 0, columns = 0;  // outputs of a whole tile
  int64_t tiles_y = 0, tiles_x = 0;
  int64_t v_channels = 0, v_stride = 0, m_stride = 0;
  std::vector<float> filters;  // [chunk][position][inner][lanes]
  std::vector<float> bias;     // of the padded outputs
  std::vector<float> zeros;    // the lanes of a pixel beyond the image

  int64_t tiles() const { return output.batch * tiles_y * tiles_x; }
};

struct FftTile {
  int64_t image, y, x;  // of its first output
};

inline FftTile TileAt(const FftLayer& layer, int64_t tile) {
  const int64_t row = tile / layer.tiles_x;
  return {row / layer.tiles_y, row % layer.tiles_y * layer.rows,
          tile % layer.tiles_x * layer.columns};
}

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

// All channels of a tile, kLanes at a time. Beyond the image there are zeros.
template <int kSize, int kLanes, typename T>
inline void FftTileInputs(const FftLayer& layer, const T* x, int64_t tile, float* v) {
  constexpr int kPixels = kSize * kSize;
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t lanes = layer.input.lanes;
  const FftTile at = TileAt(layer, tile);
  const int64_t y0 = at.y - ya.pad_begin, x0 = at.x - xa.pad_begin;
  const T* zeros = reinterpret_cast<const T*>(layer.zeros.data());
  for (int64_t group = 0; group < layer.input.groups; ++group) {
    const T* plane = x + (at.image * layer.input.groups + group) * layer.input.space * lanes;
    const T* pixels[kPixels];
    for (int i = 0; i < kSize; ++i) {
      const bool is_line = y0 + i >= 0 && y0 + i < ya.input;
      for (int j = 0; j < kSize; ++j) {
        const bool is_pixel = is_line && x0 + j >= 0 && x0 + j < xa.input;
        pixels[i * kSize + j] = is_pixel ? plane + ((y0 + i) * xa.input + x0 + j) * lanes : zeros;
      }
    }
    for (int64_t lane = 0; lane < lanes; lane += kLanes, v += kLanes) {
      if (lane + kLanes <= lanes) {
        FftPixels<kSize, kLanes>(pixels, lane, layer.v_channels, v);
        continue;
      }
      T copies[kPixels][kLanes];  // fewer are left
      const T* copied[kPixels];
      for (int i = 0; i < kPixels; ++i) {
        std::fill_n(copies[i], kLanes, T());
        std::copy_n(pixels[i] + lane, lanes - lane, copies[i]);
        copied[i] = copies[i];
      }
      FftPixels<kSize, kLanes>(copied, 0, layer.v_channels, v);
    }
  }
}

// A product of spectra from its three factors.
template <int kLanes>
inline void LoadProduct(const float* m, int position, Vector<kLanes>* re, Vector<kLanes>* im) {
  Vector<kLanes> sum, of_re, of_im;
  LoadVector<kLanes>(m + int64_t{position} * kChunkLanes, &sum);
  LoadVector<kLanes>(m + (int64_t{position} + 1) * kChunkLanes, &of_re);
  LoadVector<kLanes>(m + (int64_t{position} + 2) * kChunkLanes, &of_im);
  *re = sum - of_im;
  *im = sum + of_re;
}

// kLanes outputs of a tile by horizontal frequency and row, as FftPixels has them.
template <int kSize, int kLanes>
inline void InverseColumns(const float* m, Vector<kLanes> (*re)[kSize],
                           Vector<kLanes> (*im)[kSize]) {
  using Positions = FftPositions<kSize>;
  constexpr int kHalf = kSize / 2;
  Vector<kLanes> a[kSize], b[kSize];
#pragma GCC unroll 1
  for (int k = 1; k < kHalf; ++k) {
#pragma GCC unroll 16
    for (int y = 0; y < kSize; ++y) LoadProduct<kLanes>(m, Positions::OfMiddle(k, y), &a[y], &b[y]);
    Fft<kSize, true>(a, b, re[k], im[k]);
  }
#pragma GCC unroll 8
  for (int y = 1; y < kHalf; ++y) {
    Vector<kLanes> zero_re, zero_im, half_re, half_im;
    LoadProduct<kLanes>(m, Positions::OfOuter(y, false), &zero_re, &zero_im);
    LoadProduct<kLanes>(m, Positions::OfOuter(y, true), &half_re, &half_im);
    a[y] = zero_re - half_im;
    b[y] = zero_im + half_re;
    a[kSize - y] = zero_re + half_im;
    b[kSize - y] = half_re - zero_im;
  }
  const float* real = m + int64_t{Positions::kReal} * kChunkLanes;
  LoadVector<kLanes>(real, &a[0]);
  LoadVector<kLanes>(real + kChunkLanes, &b[0]);
  LoadVector<kLanes>(real + 2 * kChunkLanes, &a[kHalf]);
  LoadVector<kLanes>(real + 3 * kChunkLanes, &b[kHalf]);
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
// Whole vectors with ReLU or nothing are finished in registers.
template <int kSize, int kLanes, typename T>
inline void FftTileOutputs(const FftLayer& layer, int64_t tile, const float* m, int64_t channel,
                           int64_t count, const Epilogue<T>& epilogue) {
  const FftTile at = TileAt(layer, tile);
  const int64_t rows = std::min(layer.rows, layer.plane.y.output - at.y);
  const int64_t columns = std::min(layer.columns, layer.plane.x.output - at.x);
  const int64_t width = layer.plane.x.output, lanes = layer.output.lanes;
  const bool is_relu = epilogue.activation && epilogue.activation->kind == ActivationKind::kRelu;
  for (int64_t first = 0; first < count; first += kLanes) {
    const bool is_common = first + kLanes <= count && (is_relu || !epilogue.activation);
    Vector<kLanes> re[kSize / 2][kSize], im[kSize / 2][kSize], bias;
    InverseColumns<kSize, kLanes>(m + first, re, im);
    LoadVector<kLanes>(layer.bias.data() + channel + first, &bias);
    const int64_t group = (channel + first) / lanes, lane = (channel + first) % lanes;
    const int64_t plane = (at.image * layer.output.groups + group) * layer.output.space;
#pragma GCC unroll 1
    for (int row = 0; row < rows; row += 2) {
      Vector<kLanes> pair[2][kSize];
      InverseRows<kSize, kLanes>(re, im, row, pair[0], pair[1]);
#pragma GCC unroll 1
      for (int64_t pixel = 0; pixel < 2 * columns; ++pixel) {
        const int64_t i = pixel / columns, j = pixel % columns;
        if (row + i >= rows) break;
        const int64_t offset = (plane + (at.y + row + i) * width + at.x + j) * lanes + lane;
        Vector<kLanes> values = pair[i][j] + bias;
        if (!is_common) {
          float others[kLanes];
          StoreVector<kLanes>(values, others);
          epilogue.Store(others, std::min<int64_t>(count - first, kLanes), offset);
          continue;
        }
        if (epilogue.residual != nullptr) {
          Vector<kLanes> residual;
          LoadVector<kLanes>(epilogue.residual + offset, &residual);
          values += residual;
        }
        if (is_relu) values = values < 0 ? Vector<kLanes>{} : values;
        StoreVector<kLanes>(values, epilogue.output + offset);
      }
    }
  }
}

}  // namespace fettle
