#pragma once

#include <cstdint>

#include "fettle/core/target.h"
#include "fettle/primitives/element.h"

namespace fettle {

// The products of own_winograd_conv.cpp: at each position a matrix of its own, all of the same
// extents. V[tile][position][depth] times filters[position][depth / step][16 * vectors][step] gives
// M[tile][position][32], of which 16 * vectors are written. `step` is 1 in f32; bf16 operands are
// paired, for AVX-512 BF16.
struct TileProducts {
  int64_t tiles = 0, depth = 0;
  int64_t vectors = 1;                 // 1 or 2; 1 without AVX-512
  int64_t v_stride = 0, m_stride = 0;  // elements from tile to tile
};

constexpr int64_t kChunkLanes = 32;  // elements of M from position to position

void MultiplyTiles(const Target& target, const TileProducts& products, int64_t positions,
                   const float* v, const float* filters, float* m);

// Asserts target.has_avx512_bf16.
void MultiplyTiles(const Target& target, const TileProducts& products, int64_t positions,
                   const BF16* v, const BF16* filters, float* m);

}  // namespace fettle
