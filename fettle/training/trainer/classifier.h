#pragma once

#include "fettle/network/graph.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// Throws an Error that says why unless the graph is a classifier of such images: one input and one
// output that fit them.
void RequireClassifierOf(const Graph& graph, const Dataset& dataset);

}  // namespace fettle
