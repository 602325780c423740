#include "fettle/training/evaluation/taylor.h"

#include <cmath>

#include "fettle/training/evaluation/gate_gradients.h"

namespace fettle {

std::vector<std::vector<double>> TaylorSaliency(const Graph& graph,
                                                const std::vector<ChannelGroup>& groups,
                                                const Dataset& dataset, const Target& target) {
  return MeanOverGates(graph, groups, dataset, target, [](double gate) { return std::abs(gate); });
}

}  // namespace fettle
