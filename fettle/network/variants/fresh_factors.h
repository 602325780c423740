#pragma once

#include <cstdint>
#include <span>

#include "fettle/network/graph.h"
#include "fettle/network/variants/factor.h"

namespace fettle {

// The graph with a row of factors in the layer's place, to be trained from scratch or distilled:
// weights normal with variance 2 / fan-in (He et al. 2015), a bias of zeros where the layer had
// one, and after every factor but the last a batch norm (scale 1, shift 0, mean 0, variance 1) and
// a ReLU, as in Moonshine's blocks (Crowley et al. 2018). These are called FACTOR.norm and
// FACTOR.relu. The weights depend on the seed and the layer's name only.
Graph WithFreshFactors(const Graph& graph, const WeightedLayer& layer,
                       std::span<const FactorShape> shapes, uint64_t seed);

}  // namespace fettle
