#pragma once

#include <vector>

#include "fettle/network/graph.h"
#include "tests/support/graph_interpreter.h"

namespace fettle {

// The graph's output in double precision with batch norm in training form, that is with the mean
// and variance of its own input; `constants` are those of ConstantsOf(graph), in that order.
Array InterpretInTraining(const Graph& graph, const Array& input,
                          const std::vector<Array>& constants);

}  // namespace fettle
