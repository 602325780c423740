#include "fettle/primitives/own_tile_plan.h"

#include <algorithm>

namespace fettle {
namespace {

// V and M of a block where filters that are read again for each block stay in the second-level
// cache; the tiles of whole pieces of 12 (own_tile_products.cpp).
constexpr int64_t kBlockBytes = 128 << 10;
constexpr int64_t kPieceTiles = 12;

// Filters that do not stay come from beyond the cache once a block, and so many tiles compute for
// about as long as that takes.
constexpr int64_t kFewestTiles = 20;

bool FiltersStay(const TileWork& work, const Target& target) {
  return work.filter_bytes + kBlockBytes <= target.l2_bytes * 3 / 4;
}

}  // namespace

TilePlan PlanTiles(const TileWork& work, const Target& target) {
  TilePlan plan;
  const int64_t fused_bytes = work.v_bytes + work.m_bytes;
  const bool filters_stay = FiltersStay(work, target);
  int64_t most = kBlockBytes / fused_bytes < 2 * kPieceTiles ? kPieceTiles : 2 * kPieceTiles;
  if (!filters_stay) {
    most = target.l2_bytes * 5 / 8 / fused_bytes;
    plan.is_staged = work.can_stage && most < std::min(work.tiles, kFewestTiles);
    // V at one position has to stay while the filters of that position go by.
    if (plan.is_staged) most = target.l2_bytes / 2 * work.positions / work.v_bytes;
  }
  most = std::max<int64_t>(most, 1);
  plan.blocks = (work.tiles + most - 1) / most;
  // As many for each thread, where filters read again cost little, or nothing else keeps all busy.
  const bool has_many_tiles = work.tiles >= int64_t{4} * target.threads;
  if ((filters_stay && has_many_tiles) || work.chunks < target.threads) {
    const int64_t even = (plan.blocks + target.threads - 1) / target.threads * target.threads;
    plan.blocks = std::min(even, work.tiles);
  }
  // Blocks that the threads cannot share evenly: a task is a share of the outputs, and each thread
  // transforms the inputs of the blocks that it has tasks of.
  if (plan.blocks % target.threads != 0) {
    plan.parts = std::min<int64_t>(target.threads, work.chunks);
  }
  return plan;
}

}  // namespace fettle
