#pragma once

#include "fettle/network/graph.h"
#include "fettle/network/variants/channel_removal.h"

namespace fettle {

// What the consumers of removed channels would have seen of them, were each removed channel the
// constant that it is once the weights that compute it and the scale of its batch norm are zero:
// the bias of its producer, or the shift of its batch norm (what it is on average), followed
// through activations, pools, sums, products, concatenations and flattening. For linear layers and
// convolutions without padding exact in that sense; with padding exact away from the border. A
// channel whose constant cannot be followed (a channel shuffle) counts as 0, as does everything
// that is not f32. `presence_only`: which nodes are to be corrected; the numbers mean nothing.
BiasCorrections RemovedConstants(const Graph& graph, const KeptIndices& kept,
                                 bool presence_only = false);

}  // namespace fettle
