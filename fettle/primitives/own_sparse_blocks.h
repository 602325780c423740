#pragma once

#include <cstdint>
#include <vector>

#include "fettle/primitives/own_tap_plane.h"

namespace fettle {

// A block of positions of own_sparse_conv.cpp: its size, and what is copied for it and from it.
struct SparseBlock {
  int64_t vectors = 0;
  std::vector<std::vector<CopyRun>> copies;  // of each phase
  std::vector<OutputRun> outputs;
  bool is_whole = false;          // all positions are outputs, and neighbours
  int64_t input = 0, inputs = 0;  // where its elements lie in a channel; none if in several images
};

// All positions in so many blocks of whole vectors, as even as can be.
std::vector<SparseBlock> CutPositions(const ConvShape& shape, const TapPlane& plane, int64_t lanes,
                                      int64_t blocks);

}  // namespace fettle
