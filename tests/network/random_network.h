#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "fettle/network/graph.h"
#include "tests/support/graph_interpreter.h"

namespace fettle {

// Random inputs of a graph.
std::vector<Array> RandomInputs(const Graph& graph, uint64_t seed);

// The graph with other tensors, of the same types, for some of its constants.
Graph WithConstants(const Graph& graph, const std::map<ValueId, Tensor>& replaced);

// Networks of randomly chosen blocks: plain, residual, pre-activated, inverted residual, grouped,
// concatenated, dense, shuffled, gated, padded shortcuts, split in two, with pools between, and a
// head that pools or flattens. Every activation maps 0 to 0 except the gates'. `is_pointwise`: all
// kernels 1x1, and no channels that are shuffled, transposed or padded on, so that the constants of
// removed channels can be followed through all of it.
Graph RandomNetwork(uint64_t seed, bool is_pointwise = false);

}  // namespace fettle
