#pragma once

#include <functional>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/network/variants/variant.h"

namespace fettle {

// Fills in the error of every option (Variant::WeightError), on so many threads. `progress` hears,
// on the calling thread, how many options are done, and answers whether to go on; what is not done
// then stays without. Decompositions of large layers take seconds each.
void FillErrors(const Graph& graph, int threads, const std::function<bool(size_t done)>& progress,
                std::vector<NetworkDecision>* decisions);

}  // namespace fettle
