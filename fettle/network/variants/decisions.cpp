#include "fettle/network/variants/decisions.h"

#include <iterator>

#include "fettle/network/variants/variant_list.h"

namespace fettle {
namespace {

constexpr int64_t kF32Bytes = 4;

}  // namespace

std::vector<NetworkDecision> FindDecisions(const Graph& graph, const DecisionOptions& options) {
  std::vector<NetworkDecision> decisions;
  for (const VariantKind& kind : AllVariantKinds()) {
    std::vector<NetworkDecision> found = kind.find(graph, options);
    for (NetworkDecision& decision : found) {
      decision.kind = kind.name;
      for (NetworkOption& option : decision.options) {
        if (option.weight_bytes == 0) option.weight_bytes = kF32Bytes * option.parameters;
      }
    }
    std::move(found.begin(), found.end(), std::back_inserter(decisions));
  }
  return decisions;
}

int64_t WeightBytes(const Graph& graph) { return kF32Bytes * graph.NumParameters(); }

}  // namespace fettle
