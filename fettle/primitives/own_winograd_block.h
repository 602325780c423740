#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_tile.h"
#include "fettle/primitives/own_vector.h"
#include "fettle/primitives/winograd.h"

// What own_winograd_conv.cpp does with each tile: its inputs to V, and M to its outputs.

namespace fettle {

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

// All channels of a tile.
template <int kOutputs, int kLanes, typename Products, typename T>
inline void TransformTile(const TileLayer& layer, const T* x, int64_t tile,
                          typename Products::Element* v) {
  ForTileLanes<WinogradTransform<kOutputs>::kTile, kLanes>(
      layer, x, tile, [&](const T* const* pixels, int64_t lane, int64_t channel) {
        TransformPixels<kOutputs, kLanes, Products>(pixels, lane, layer.v_channels, v + channel);
      });
}

// A tile's outputs of a chunk, of which `m` holds the products: `count` channels from `channel`.
template <int kOutputs, int kLanes, typename Products, typename T>
inline void TransformProducts(const TileLayer& layer, int64_t tile, const float* m, int64_t channel,
                              int64_t count, const VectorEpilogue<T>& epilogue) {
  using Transform = WinogradTransform<kOutputs>;
  constexpr int kTile = Transform::kTile;
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t lanes = layer.output.lanes;
  const TilePosition at = TileAt(layer, tile);
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
