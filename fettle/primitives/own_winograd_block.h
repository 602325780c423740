#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <type_traits>
#include <vector>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_tile_products.h"
#include "fettle/primitives/own_vector.h"
#include "fettle/primitives/winograd.h"

// What own_winograd_conv.cpp does with each tile: its inputs to V, and M to its outputs.

namespace fettle {

// The layer, and how V and M lie: V[tile][position][channel], M[tile][position][output], of one
// chunk or of all.
// A tile's stride is a cache line longer than it needs to be, or the tiles of powers of two
// would all want the same few sets of the cache.
struct WinogradLayer {
  WindowPlane plane;
  ChannelView input, output;
  int64_t tiles_y = 0, tiles_x = 0;
  int64_t v_channels = 0, v_stride = 0;  // elements
  int64_t m_position = 0, m_stride = 0;  // elements from position to position, tile to tile
  std::vector<std::byte> filters;        // [chunk][position][inner][lanes][step]
  std::vector<float> bias;               // of the padded outputs
  std::vector<float> zeros;              // the lanes of a pixel beyond the image

  int64_t tiles() const { return output.batch * tiles_y * tiles_x; }
};

// Where a tile lies.
struct WinogradTile {
  int64_t image, y, x;  // of its first output
};

template <int kOutputs>
inline WinogradTile TileAt(const WinogradLayer& layer, int64_t tile) {
  const int64_t row = tile / layer.tiles_x;
  return {row / layer.tiles_y, row % layer.tiles_y * kOutputs, tile % layer.tiles_x * kOutputs};
}

// kLanes channels of a tile, from `lane` of each of its pixels on.
template <int kOutputs, int kLanes, typename Products, typename T>
inline void TransformPixels(const T* const* pixels, int64_t lane, int64_t position_stride,
                            typename Products::Element* to) {
  using Transform = WinogradTransform<kOutputs>;
  constexpr int kTile = Transform::kTile;
  Vector<kLanes> half[kTile][kTile];
#pragma GCC unroll 8
  for (int j = 0; j < kTile; ++j) {
    Vector<kLanes> column[kTile], transformed[kTile];
#pragma GCC unroll 8
    for (int i = 0; i < kTile; ++i) LoadVector<kLanes>(pixels[i * kTile + j] + lane, &column[i]);
    Transform::Input(column, transformed);
#pragma GCC unroll 8
    for (int i = 0; i < kTile; ++i) half[i][j] = transformed[i];
  }
#pragma GCC unroll 8
  for (int i = 0; i < kTile; ++i) {
    Vector<kLanes> transformed[kTile];
    Transform::Input(half[i], transformed);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j) {
      Products::template Round<kLanes>(transformed[j], to + (i * kTile + j) * position_stride);
    }
  }
}

// All channels of a tile, kLanes at a time. Beyond the image there are zeros.
template <int kOutputs, int kLanes, typename Products, typename T>
inline void TransformTile(const WinogradLayer& layer, const T* x, int64_t tile,
                          typename Products::Element* v) {
  constexpr int kTile = WinogradTransform<kOutputs>::kTile, kPixels = kTile * kTile;
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t lanes = layer.input.lanes, line = xa.input * lanes;
  const WinogradTile at = TileAt<kOutputs>(layer, tile);
  const int64_t y0 = at.y - ya.pad_begin, x0 = at.x - xa.pad_begin;
  const T* zeros = reinterpret_cast<const T*>(layer.zeros.data());
  for (int64_t group = 0; group < layer.input.groups; ++group) {
    const T* plane = x + (at.image * layer.input.groups + group) * layer.input.space * lanes;
    const T* pixels[kPixels];
    for (int i = 0; i < kTile; ++i) {
      const bool is_line = y0 + i >= 0 && y0 + i < ya.input;
      const int64_t from = (y0 + i) * line + x0 * lanes;
      for (int j = 0; j < kTile; ++j) {
        const bool is_pixel = is_line && x0 + j >= 0 && x0 + j < xa.input;
        pixels[i * kTile + j] = is_pixel ? plane + (from + j * lanes) : zeros;
      }
    }
    for (int64_t lane = 0; lane < lanes; lane += kLanes, v += kLanes) {
      const T* const* from = pixels;
      int64_t first = lane;
      T copies[kPixels][kLanes];
      const T* copied[kPixels];
      if (lane + kLanes > lanes) {  // fewer are left
        for (int i = 0; i < kPixels; ++i) {
          std::fill_n(copies[i], kLanes, T());
          std::copy_n(pixels[i] + lane, lanes - lane, copies[i]);
          copied[i] = copies[i];
        }
        from = copied;
        first = 0;
      }
      TransformPixels<kOutputs, kLanes, Products>(from, first, layer.v_channels, v);
    }
  }
}

// A tile's outputs of a chunk, of which `m` holds the products: `count` channels from `channel`.
template <int kOutputs, int kLanes, typename Products, typename T>
inline void TransformOutputs(const WinogradLayer& layer, int64_t tile, const float* m,
                             int64_t channel, int64_t count, const VectorEpilogue<T>& epilogue) {
  using Transform = WinogradTransform<kOutputs>;
  constexpr int kTile = Transform::kTile;
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t lanes = layer.output.lanes;
  const WinogradTile at = TileAt<kOutputs>(layer, tile);
  const int64_t rows = std::min<int64_t>(kOutputs, ya.output - at.y);
  const int64_t columns = std::min<int64_t>(kOutputs, xa.output - at.x);
  for (int64_t first = 0; first < count; first += kLanes) {
    Vector<kLanes> half[kOutputs][kTile], bias;
    LoadVector<kLanes>(layer.bias.data() + channel + first, &bias);
#pragma GCC unroll 8
    for (int j = 0; j < kTile; ++j) {
      Vector<kLanes> column[kTile], transformed[kOutputs];
#pragma GCC unroll 8
      for (int i = 0; i < kTile; ++i) {
        LoadVector<kLanes>(m + (i * kTile + j) * layer.m_position + first, &column[i]);
      }
      Transform::Output(column, transformed);
#pragma GCC unroll 8
      for (int i = 0; i < kOutputs; ++i) half[i][j] = transformed[i];
    }
    const int64_t group = (channel + first) / lanes, lane = (channel + first) % lanes;
    const int64_t plane = (at.image * layer.output.groups + group) * layer.output.space;
    OutputStrip strip{(plane + at.y * xa.output + at.x) * lanes + lane, lanes, columns,
                      std::min<int64_t>(count - first, kLanes)};
#pragma GCC unroll 8
    for (int i = 0; i < kOutputs; ++i, strip.offset += xa.output * lanes) {
      if (i >= rows) break;
      Vector<kLanes> outputs[kOutputs];
      Transform::Output(half[i], outputs);
#pragma GCC unroll 8
      for (int j = 0; j < kOutputs; ++j) outputs[j] += bias;
      FinishVectors<kLanes, kOutputs, Products>(epilogue, strip, outputs);
    }
  }
}

}  // namespace fettle
