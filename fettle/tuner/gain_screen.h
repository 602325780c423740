#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/network/graph.h"
#include "fettle/network/variants/factor_variant.h"
#include "fettle/runtime/layer_graph.h"

namespace fettle {

// By how much faster options should make a network, in ms (ReckonedMs of the lowered layers).
class GainScreen {
 public:
  // The graph must outlive it.
  GainScreen(const Graph& graph, const Target& target);

  // Of the network with that variant alone. Of a layer that becomes a row of linear ones, these are
  // priced with what is fused into the layer; for other variants the whole network is lowered.
  double GainOf(const std::string& layer, const std::string& variant) const;

  // Drops the options that should gain no more than a tenth of their layer's time; the gains of
  // those that stay.
  std::vector<double> Apply(NetworkDecision* decision) const;

 private:
  // Nothing where the layer is not lowered to what FactorVariants know.
  std::optional<double> MsOfFactors(const FactorVariant& variant, const WeightedLayer& layer,
                                    const LayerSpec& lowered) const;

  const Graph& graph_;
  Target target_;
  double whole_ = 0;
  std::map<std::string, LayerSpec> layers_;  // as lowered, by name
};

}  // namespace fettle
