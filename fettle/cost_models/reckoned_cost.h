#pragma once

#include "fettle/core/layer_spec.h"
#include "fettle/core/target.h"
#include "fettle/runtime/layer_graph.h"

namespace fettle {

// What a layer should take where nothing has been measured, by its arithmetic and its memory
// traffic (the roofline of Williams et al. 2009) and the instruction set alone: coarse, and the
// same on every run, so that what a session looks at does not depend on what was measured before.
// Only for telling what cannot be worth its measuring from what may be; never shown, never on a
// front.
double ReckonedMs(const LayerSpec& spec, const Target& target);

// The sum over its layers.
double ReckonedMs(const LayerGraph& graph, const Target& target);

}  // namespace fettle
