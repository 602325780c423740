#pragma once

#include <cstdint>
#include <vector>

#include "fettle/core/layer_spec.h"

namespace fettle {

// The layers of all generated networks (tests/support/model_zoo.h) as lowering leaves them, each
// once, in f32.
std::vector<LayerSpec> NetworkLayers();

// The same layer with fewer rows, and if need be fewer columns, where it costs the reference more
// than `most`: a multiplication is one, an element that is read or written is 16. Channels, kernel,
// strides, groups and padding stay, and so does what the last window leaves over. An inner product,
// which has no rows, reads fewer features. A layer that cannot be made as small is made as small as
// it can; one whose attributes state its extents stays as it is.
LayerSpec Shortened(LayerSpec spec, int64_t most);

}  // namespace fettle
