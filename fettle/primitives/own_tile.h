#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_tile_products.h"
#include "fettle/primitives/own_vector.h"

// What the convolutions by transformed tiles (Winograd's, Fourier's) have in common: where tiles,
// their pixels and the chunks of outputs lie.

namespace fettle {

// The layer, and how V and M lie: V[tile][position][channel], M[tile][position][output], of one
// chunk or of all. The strides from tile to tile are a cache line longer than they need to be, or
// the tiles of powers of two would all want the same few sets of the cache.
struct TileLayer {
  WindowPlane plane;
  ChannelView input, output;
  int64_t rows = 0, columns = 0;  // outputs of a whole tile
  int64_t tiles_y = 0, tiles_x = 0;
  int lanes = 8;                              // of the vectors of inputs: 8 or 16
  int64_t v_channels = 0, v_stride = 0;       // elements
  int64_t m_position = 0, m_stride = 0;       // from position to position, tile to tile
  int64_t outputs = 0, chunk = kVectorLanes;  // channels with padding; those of a chunk
  std::vector<float> bias;                    // of the padded outputs
  std::vector<float> zeros;                   // the lanes of a pixel beyond the image

  int64_t tiles() const { return output.batch * tiles_y * tiles_x; }
  int64_t chunks() const { return (outputs + chunk - 1) / chunk; }
  int64_t ChunkVectors(int64_t index) const {
    return (std::min(chunk, outputs - index * chunk) + kVectorLanes - 1) / kVectorLanes;
  }
};

// All but the strides from tile to tile and the bias; m_position as for M of one chunk. A tile has
// so many rows and columns of outputs.
TileLayer TileLayerOf(const LayerSpec& spec, Layout layout, const Target& target, int64_t rows,
                      int64_t columns);

// The constant bias, or zeros.
void SetBias(std::span<const Tensor* const> weights, TileLayer* layer);

// Where a tile lies.
struct TilePosition {
  int64_t image, y, x;  // of its first output
};

inline TilePosition TileAt(const TileLayer& layer, int64_t tile) {
  const int64_t row = tile / layer.tiles_x;
  return {row / layer.tiles_y, row % layer.tiles_y * layer.rows,
          tile % layer.tiles_x * layer.columns};
}

// Calls visit(pixels, lane, channel) for all channels of a tile, kLanes at a time: of pixel
// y * kSide + x they begin at pixels[...] + lane, and in V at `channel`. Beyond the image, and
// beyond the last channel, there are zeros.
template <int kSide, int kLanes, typename T, typename Visit>
inline void ForTileLanes(const TileLayer& layer, const T* x, int64_t tile, const Visit& visit) {
  constexpr int kPixels = kSide * kSide;
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t lanes = layer.input.lanes, line = xa.input * lanes;
  const TilePosition at = TileAt(layer, tile);
  const int64_t y0 = at.y - ya.pad_begin, x0 = at.x - xa.pad_begin;
  const T* zeros = reinterpret_cast<const T*>(layer.zeros.data());
  int64_t channel = 0;
  for (int64_t group = 0; group < layer.input.groups; ++group) {
    const T* plane = x + (at.image * layer.input.groups + group) * layer.input.space * lanes;
    const T* pixels[kPixels];
    for (int i = 0; i < kSide; ++i) {
      const bool is_line = y0 + i >= 0 && y0 + i < ya.input;
      const int64_t from = (y0 + i) * line + x0 * lanes;
      for (int j = 0; j < kSide; ++j) {
        const bool is_pixel = is_line && x0 + j >= 0 && x0 + j < xa.input;
        pixels[i * kSide + j] = is_pixel ? plane + (from + j * lanes) : zeros;
      }
    }
    for (int64_t lane = 0; lane < lanes; lane += kLanes, channel += kLanes) {
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
      visit(from, first, channel);
    }
  }
}

// Runs body.operator()<kLanes>() with vectors of so many lanes, and the instructions of Products.
template <typename Products, typename Body>
void WithLanes(const Target& target, bool is_wide, const Body& body) {
#if defined(__x86_64__)
  if constexpr (Products::kStep == 2) {
    if (is_wide) return RunAvx512BF16([&] { body.template operator()<16>(); });
    return RunAvx512BF16([&] { body.template operator()<8>(); });
  }
  if (is_wide) return RunAvx512([&] { body.template operator()<16>(); });
#endif
  WithIsa(target, [&] { body.template operator()<8>(); });
}

// A vector of outputs lies within one group of lanes.
inline bool HasWideOutputs(const TileLayer& layer, const Target& target) {
  return target.has_avx512 && layer.output.lanes >= 16;
}

}  // namespace fettle
