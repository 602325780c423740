#pragma once

#include <cstdint>
#include <vector>

#include "fettle/core/op.h"
#include "fettle/network/graph.h"

namespace fettle {

// Multiplications with accumulation of convolutions and matrix products, as MacsOf(LayerSpec)
// counts them: dense, at the graph's own batch size. Other operators have none.
int64_t MacsOf(const Op& op, std::vector<TensorType> inputs, TensorType output);
int64_t MacsOf(const Graph& graph, const Node& node);
int64_t MacsOf(const Graph& graph);

}  // namespace fettle
