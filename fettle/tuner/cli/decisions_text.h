#pragma once

#include <string>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/network/variants/variant.h"

namespace fettle {

// What may be changed in a network, for people: layer by layer in the order of computation, an
// option a line; then what may not be, a reason a line with the layers it is true of.
std::string DecisionsText(const Graph& graph, const std::vector<NetworkDecision>& decisions);

}  // namespace fettle
