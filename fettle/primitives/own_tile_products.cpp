#include "fettle/primitives/own_tile_products.h"

#include <cassert>
#include <utility>

#include "fettle/primitives/own_dot.h"

namespace fettle {
namespace {

// kRows tiles by kVectors vectors of outputs of one panel, summed in registers. Meanwhile `ahead`,
// `step` bytes for each index of the depth, is brought into the second-level cache: filters that
// come from beyond it, 128 bytes for 24 products, would else be waited for.
template <int kRows, int kVectors, typename Products>
inline void MultiplyRows(const TileProducts& products, const typename Products::Element* v,
                         const typename Products::Element* filters, const char* ahead, int64_t step,
                         float* m) {
  constexpr int kStep = Products::kStep;
  constexpr int64_t kAhead = 2048 / sizeof(*filters);
  Vector<kVectorLanes> sums[kRows][kVectors] = {};
  for (int64_t k = 0; k < products.depth; k += kStep) {
    __builtin_prefetch(filters + kAhead, 0, 3);
    if (kVectors == 2) __builtin_prefetch(filters + kAhead + 64 / sizeof(*filters), 0, 3);
    __builtin_prefetch(ahead, 0, 2);
    if (kVectors == 2) __builtin_prefetch(ahead + 64, 0, 2);
    ahead += step;
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

// All panels, the tiles cut into even pieces of at most so many rows as there are kPieces.
template <int kVectors, typename Products, int... kPieces>
inline void MultiplyPanels(const TileProducts& products, const typename Products::Element* v,
                           const typename Products::Element* filters, float* m,
                           std::integer_sequence<int, kPieces...>) {
  using Element = typename Products::Element;
  constexpr int64_t kMostRows = sizeof...(kPieces);
  constexpr int64_t kRowBytes =
      int64_t{kVectors} * kVectorLanes * Products::kStep * sizeof(Element);
  const int64_t pieces = (products.tiles + kMostRows - 1) / kMostRows;
  for (int64_t panel = 0; panel < products.panels; ++panel) {
    const bool is_last = panel + 1 == products.panels;
    const auto* next =
        reinterpret_cast<const char*>(filters + (is_last ? 0 : products.filter_step));
    const int64_t step = kRowBytes / pieces;  // each piece brings a part of the next panel
    for (int64_t piece = 0; piece < pieces; ++piece) {
      const int64_t begin = products.tiles * piece / pieces;
      const int64_t rows = products.tiles * (piece + 1) / pieces - begin;
      const char* ahead = next + piece * step * (products.depth / Products::kStep);
      const auto* from = v + begin * products.v_stride;
      float* to = m + begin * products.m_stride;
      ((rows == kPieces + 1 ? MultiplyRows<kPieces + 1, kVectors, Products>(products, from, filters,
                                                                            ahead, step, to)
                            : void()),
       ...);
    }
    v += products.v_step;
    m += products.m_step;
    filters += products.filter_step;
  }
}

// 12 x 2 sums fill 32 registers of 512 bits, 6 x 1 of ours 16 of 256.
template <typename Products>
inline void MultiplyWide(const TileProducts& products, const typename Products::Element* v,
                         const typename Products::Element* filters, float* m) {
  const auto rows = std::make_integer_sequence<int, 12>();
  if (products.vectors == 2) {
    MultiplyPanels<2, Products>(products, v, filters, m, rows);
  } else {
    MultiplyPanels<1, Products>(products, v, filters, m, rows);
  }
}

}  // namespace

void MultiplyTiles(const Target& target, const TileProducts& products, const float* v,
                   const float* filters, float* m) {
#if defined(__x86_64__)
  if (target.has_avx512) {
    return RunAvx512([&] { MultiplyWide<F32Products>(products, v, filters, m); });
  }
#endif
  assert(products.vectors == 1);
  WithIsa(target, [&] {
    MultiplyPanels<1, F32Products>(products, v, filters, m, std::make_integer_sequence<int, 6>());
  });
}

void MultiplyTiles([[maybe_unused]] const Target& target,
                   [[maybe_unused]] const TileProducts& products, [[maybe_unused]] const BF16* v,
                   [[maybe_unused]] const BF16* filters, [[maybe_unused]] float* m) {
  assert(target.has_avx512_bf16);
#if defined(__x86_64__)
  RunAvx512BF16([&] { MultiplyWide<BF16Dots>(products, v, filters, m); });
#endif
}

}  // namespace fettle
