#pragma once

#include "fettle/core/shape.h"
#include "fettle/network/graph.h"

namespace fettle {

// A MobileNetV2 (Sandler et al., 2018) for small images: a stem of 16 channels, inverted residuals
// to 16, 24, 24, 40, 40, 40, 64, 64 channels with expansion 4 (the first 1), 3x3 depthwise
// convolutions, sizes halved at 24 and 40 channels, and a 1x1 convolution to 256 channels.
Graph MakeMobileNetV2Small(const Shape& image, int64_t classes, uint64_t seed);

}  // namespace fettle
