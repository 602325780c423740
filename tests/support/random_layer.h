#pragma once

#include "fettle/core/layer_spec.h"
#include "fettle/core/random.h"

namespace fettle {

// A sound layer of any operator that lowering leaves, small enough to compute in a moment: odd and
// even extents, ragged channels, groups, dilations, asymmetric padding, broadcasts, epilogues,
// f32 and bf16, and integers where elements are only moved. Every window of a pool holds an element
// (of an empty one the maximum is -inf by our reference and anything by a library).
LayerSpec RandomLayerSpec(Random* random);

}  // namespace fettle
