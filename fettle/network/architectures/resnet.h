#pragma once

#include "fettle/core/shape.h"
#include "fettle/network/graph.h"

namespace fettle {

// The residual networks for small images of He et al. ("Deep Residual Learning", 2016): three
// stages of 16, 32 and 64 channels, each of (depth - 2) / 6 blocks of two 3x3 convolutions; where
// the size changes the shortcut is a 1x1 convolution (their option B). Asserts depth = 6 n + 2.
Graph MakeResNet(int64_t depth, const Shape& image, int64_t classes, uint64_t seed);

// Wide residual networks (Zagoruyko & Komodakis, 2016): stages of 16, 32 and 64 channels times the
// width, each of (depth - 4) / 6 blocks with batch norm and ReLU before their convolutions. Asserts
// depth = 6 n + 4.
Graph MakeWideResNet(int64_t depth, int64_t width, const Shape& image, int64_t classes,
                     uint64_t seed);

}  // namespace fettle
