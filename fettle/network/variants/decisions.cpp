#include "fettle/network/variants/decisions.h"

#include <iterator>

#include "fettle/network/variants/variant_list.h"

namespace fettle {

std::vector<NetworkDecision> FindDecisions(const Graph& graph, const DecisionOptions& options) {
  std::vector<NetworkDecision> decisions;
  for (const VariantKind& kind : AllVariantKinds()) {
    std::vector<NetworkDecision> found = kind.find(graph, options);
    for (NetworkDecision& decision : found) decision.kind = kind.name;
    std::move(found.begin(), found.end(), std::back_inserter(decisions));
  }
  return decisions;
}

}  // namespace fettle
