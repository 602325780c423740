#pragma once

#include <cstdint>
#include <vector>

#include "fettle/core/op.h"

namespace fettle {

// What an output element of one axis is made of: (1 - weight) * x[low] + weight * x[high]. For
// nearest, low == high and the weight is 0.
struct ResizeTap {
  int64_t low = 0, high = 0;
  float weight = 0;
};

// The taps of all outputs of `axis`, from `input` elements. The coordinates are computed in f32, in
// which a scale like 0.3 gives the round numbers its author meant, and in which runtimes compute
// them: a nearest neighbour chosen otherwise would be another pixel.
std::vector<ResizeTap> ResizeTaps(const Resize& op, size_t axis, int64_t input);

}  // namespace fettle
