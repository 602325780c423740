#include "fettle/primitives/own_tile_products.h"

#include <cassert>
#include <utility>

#include "fettle/primitives/own_dot.h"

namespace fettle {
namespace {

// kRows tiles by kVectors vectors of outputs at one position, summed in registers.
template <int kRows, int kVectors, typename Products>
inline void MultiplyRows(const TileProducts& products, const typename Products::Element* v,
                         const typename Products::Element* filters, float* m) {
  constexpr int kStep = Products::kStep;
  Vector<kVectorLanes> sums[kRows][kVectors] = {};
  for (int64_t k = 0; k < products.depth; k += kStep) {
#pragma GCC unroll 12
    for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
      for (int j = 0; j < kVectors; ++j) {
        Products::Add(v + i * products.v_stride + k, filters + j * kVectorLanes * kStep,
                      &sums[i][j]);
      }
    }
    filters += kVectors * kVectorLanes * kStep;
  }
#pragma GCC unroll 12
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 2
    for (int j = 0; j < kVectors; ++j) {
      StoreVector<kVectorLanes>(sums[i][j], m + i * products.m_stride + int64_t{j} * kVectorLanes);
    }
  }
}

// All positions, the tiles cut into even pieces of at most so many rows as there are kPieces.
template <int kVectors, typename Products, int... kPieces>
inline void MultiplyPositions(const TileProducts& products, int64_t positions,
                              const typename Products::Element* v,
                              const typename Products::Element* filters, float* m,
                              std::integer_sequence<int, kPieces...>) {
  constexpr int64_t kMostRows = sizeof...(kPieces);
  const int64_t pieces = (products.tiles + kMostRows - 1) / kMostRows;
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const int64_t begin = products.tiles * piece / pieces;
      const int64_t rows = products.tiles * (piece + 1) / pieces - begin;
      const auto* from = v + begin * products.v_stride + position * products.depth;
      float* to = m + begin * products.m_stride + position * kChunkLanes;
      ((rows == kPieces + 1
            ? MultiplyRows<kPieces + 1, kVectors, Products>(products, from, filters, to)
            : void()),
       ...);
    }
    filters += products.depth * kVectors * kVectorLanes;
  }
}

// 12 x 2 sums fill 32 registers of 512 bits, 6 x 1 of ours 16 of 256.
template <typename Products>
inline void MultiplyWide(const TileProducts& products, int64_t positions,
                         const typename Products::Element* v,
                         const typename Products::Element* filters, float* m) {
  const auto rows = std::make_integer_sequence<int, 12>();
  if (products.vectors == 2) {
    MultiplyPositions<2, Products>(products, positions, v, filters, m, rows);
  } else {
    MultiplyPositions<1, Products>(products, positions, v, filters, m, rows);
  }
}

}  // namespace

void MultiplyTiles(const Target& target, const TileProducts& products, int64_t positions,
                   const float* v, const float* filters, float* m) {
#if defined(__x86_64__)
  if (target.has_avx512) {
    return RunAvx512([&] { MultiplyWide<F32Products>(products, positions, v, filters, m); });
  }
#endif
  assert(products.vectors == 1);
  WithIsa(target, [&] {
    MultiplyPositions<1, F32Products>(products, positions, v, filters, m,
                                      std::make_integer_sequence<int, 6>());
  });
}

void MultiplyTiles([[maybe_unused]] const Target& target,
                   [[maybe_unused]] const TileProducts& products,
                   [[maybe_unused]] int64_t positions, [[maybe_unused]] const BF16* v,
                   [[maybe_unused]] const BF16* filters, [[maybe_unused]] float* m) {
  assert(target.has_avx512_bf16);
#if defined(__x86_64__)
  RunAvx512BF16([&] { MultiplyWide<BF16Dots>(products, positions, v, filters, m); });
#endif
}

}  // namespace fettle
