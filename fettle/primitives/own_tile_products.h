#pragma once

#include <cstdint>

#include "fettle/core/target.h"
#include "fettle/primitives/element.h"

namespace fettle {

// The products of convolutions by transformed tiles: a row of panels, each V[tile][depth] times
// filters[depth / step][16 * vectors][step], giving M[tile][16 * vectors].
// `step` is 1 in f32; bf16 operands are paired, for AVX-512 BF16.
struct TileProducts {
  int64_t tiles = 0, depth = 0;
  int64_t vectors = 1;                                          // 1 or 2; 1 without AVX-512
  int64_t v_stride = 0, m_stride = 0;                           // elements from tile to tile
  int64_t panels = 1, v_step = 0, m_step = 0, filter_step = 0;  // elements from panel to panel
};

constexpr int64_t kChunkLanes = 32;  // outputs of a panel at most

void MultiplyTiles(const Target& target, const TileProducts& products, const float* v,
                   const float* filters, float* m);

// Asserts target.has_avx512_bf16.
void MultiplyTiles(const Target& target, const TileProducts& products, const BF16* v,
                   const BF16* filters, float* m);

}  // namespace fettle
