#pragma once

#include <cstdint>

#include "fettle/core/target.h"

namespace fettle {

// What a convolution by transformed tiles (Winograd's, Fourier's) has to do, in tiles of the image
// and chunks of outputs.
struct TileWork {
  int64_t tiles = 1, chunks = 1, positions = 1;
  int64_t filter_bytes = 0;  // transformed
  int64_t v_bytes = 0;       // of a tile's transformed inputs
  int64_t m_bytes = 0;       // of a tile's products with one chunk
  bool can_stage = false;
};

// How it is cut into tasks: one of `blocks` of tiles by one of `parts` of the chunks. Staged or not
// (the essay is at the head of own_winograd_conv.cpp).
struct TilePlan {
  bool is_staged = false;
  int64_t blocks = 1, parts = 1;

  int64_t tasks() const { return blocks * parts; }
  bool BeginsBlock(int64_t task) const { return task % parts == 0; }
};

TilePlan PlanTiles(const TileWork& work, const Target& target);

}  // namespace fettle
