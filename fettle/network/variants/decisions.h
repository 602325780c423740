#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/network/variants/variant.h"

namespace fettle {

// Everything that may change in the network: the decisions of every kind of variant, kind by kind,
// and for each place where one cannot apply the reason. What `inspect` prints and `tune` searches.
std::vector<NetworkDecision> FindDecisions(const Graph& graph, const DecisionOptions& options = {});

// Those of some kinds alone.
std::vector<NetworkDecision> FindDecisions(std::span<const VariantKind> kinds, const Graph& graph,
                                           const DecisionOptions& options);

// What the constants of the network take when they are stored in f32.
int64_t WeightBytes(const Graph& graph);

}  // namespace fettle
