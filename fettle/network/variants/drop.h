#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/network/variants/variant.h"

namespace fettle {

// drop(): a residual block without its body (Huang et al., "Deep Networks with Stochastic Depth",
// 2016, take such networks to be an ensemble of all of them; Veit et al. 2016 drop one from a
// trained network). Of an addition of two operands one, the skip, must come without weights of its
// own from what the other, the body, is computed from, and have the sum's type; the sum becomes the
// skip, and what only the body needed goes. The decision has the addition's name.
class DropVariant : public Variant {
 public:
  std::string Text() const override { return "drop()"; }
  Graph Rewrite(const Graph& graph, std::string_view addition,
                const RewriteOptions& options = {}) const override;
  // 1: all of what the body computes.
  std::optional<double> WeightError(const Graph& graph, std::string_view addition) const override;
};

std::unique_ptr<Variant> ParseDrop(VariantText text);

// A decision for each addition that a residual block ends in, with the body's weighted layers.
std::vector<NetworkDecision> FindDropDecisions(const Graph& graph, const DecisionOptions& options);

inline constexpr VariantKind kDropKind = {"drop", ParseDrop, FindDropDecisions};

}  // namespace fettle
