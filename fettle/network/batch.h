#pragma once

#include <cstdint>

#include "fettle/network/graph.h"

namespace fettle {

// The leading extent of the graph's first input. Throws Error (kBadInput) where it has none.
int64_t BatchOf(const Graph& graph);

// The same network for another batch: the leading extent of every input is changed, and with it
// that of the shapes and sizes that name it. Weights are shared. Throws Error (kBadInput) that
// names the node where a network only works at the batch it has: one that mixes the images of a
// batch.
Graph WithBatch(const Graph& graph, int64_t batch);

}  // namespace fettle
