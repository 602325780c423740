#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "fettle/core/shape.h"
#include "fettle/network/graph.h"

namespace fettle {

// A network by name, with random weights: input f32[1,C,H,W], output f32[1,classes] (logits).
struct Architecture {
  std::string_view name;                                              // "resnet20"
  Graph (*make)(const Shape& image, int64_t classes, uint64_t seed);  // image: C,H,W
};

// All of them, by name.
const std::vector<Architecture>& Architectures();

// Throws an Error that lists the names where there is none of this name, or names the image where
// the network cannot take it.
Graph MakeArchitecture(std::string_view name, const Shape& image, int64_t classes, uint64_t seed);

}  // namespace fettle
