#pragma once

#include <cstddef>
#include <functional>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/network/variants/variant.h"

namespace fettle {

// Fills in the error of every option that has none (Variant::WeightError), on so many threads;
// decompositions of large layers take seconds each. `progress`, which may be empty, hears how many
// are done: from any of the threads, never from two at a time. An exception that it throws is
// thrown again once each thread is done with the option that it is at.
void FillErrors(const Graph& graph, int threads, const std::function<void(size_t done)>& progress,
                std::vector<NetworkDecision>* decisions);

}  // namespace fettle
