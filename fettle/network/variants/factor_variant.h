#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/network/variants/factor.h"
#include "fettle/network/variants/layer_spectra.h"
#include "fettle/network/variants/variant.h"

namespace fettle {

// A variant that rewrites one weighted layer into a row of linear ones: what all of them share.
class FactorVariant : public Variant {
 public:
  // With the calibration of this graph, if it knows the layer's input: the last factor is refitted
  // by least squares and what is missed on average goes into the bias. Moments of the layer's
  // patches are taken out of what is carried: none of the factors reads them.
  Graph Rewrite(const Graph& graph, std::string_view layer,
                const RewriteOptions& options) const override;

  const FactorVariant* AsFactors() const final { return this; }

  // RelativeError of the kernel that the factors come to: ErrorFrom, or that of Factorise.
  std::optional<double> WeightError(const Graph& graph, std::string_view layer) const override;

  // Why the layer cannot take it, in words; empty where it can.
  virtual std::string WhyNot(const WeightedLayer& layer) const = 0;

  // What it is rewritten into. Asserts that WhyNot is empty.
  virtual std::vector<FactorShape> Shapes(const WeightedLayer& layer) const = 0;

  // The factors' weights, from the kernel alone or, with moments, as good for such inputs as it
  // knows how; the last one is refitted afterwards.
  virtual std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                        const Moments* input) const = 0;

  // The WeightError, where the spectra of the layer tell it without a fit.
  virtual std::optional<double> ErrorFrom(LayerSpectra& /*spectra*/) const { return std::nullopt; }
  // Else what they say that it cannot be less than.
  virtual double LeastErrorFrom(LayerSpectra& /*spectra*/) const { return 0; }

 protected:
  // The layer of that name; throws an Error (kBadInput) where it cannot take this.
  WeightedLayer Find(const Graph& graph, std::string_view name) const;
};

// The graph with fitted factors, and the layer's bias with what they miss on average.
Graph WithFittedFactors(const Graph& graph, const WeightedLayer& layer, const Matrix& kernel,
                        std::span<const Factor> factors, const Moments* input);

// Factorise, with the last factor refitted where there are moments.
std::vector<Factor> FittedFactors(const FactorVariant& variant, const WeightedLayer& layer,
                                  const Matrix& kernel, const Moments* input);

// Why a layer is not one with a window to take apart: a convolution without groups, larger than
// 1x1. Empty where it is.
std::string WhyNotSpatial(const WeightedLayer& layer);

// Of variants in the order in which they are to be offered, at most `most` that the layer can take;
// where it can take none, the first, for its reason.
std::vector<std::unique_ptr<FactorVariant>> Applicable(
    std::vector<std::unique_ptr<FactorVariant>> variants, const WeightedLayer& layer, int64_t most);

// The decision for a layer of that graph: what `offer` has for it, or why nothing. The options have
// an error where ErrorFrom tells it.
NetworkDecision FindFactorDecision(const Graph& graph, LayerSpectra& spectra,
                                   const DecisionOptions& options, FactorOffer offer);

// Ranks to offer: the least that keep 98, 95, 90, 80, 65 and 45 % of the energy (the sum of
// `energies`, which are descending), rounded up to a multiple of the step at which the device's
// latency changes; below `limit`, descending, at most options.most_options of them.
std::vector<int64_t> RanksToOffer(const std::vector<double>& energies, int64_t limit,
                                  const DecisionOptions& options);

// The rank that keeps that share of the energy, rounded up to that step.
int64_t RankKeeping(double share, const std::vector<double>& energies,
                    const DecisionOptions& options);
inline constexpr double kSharesToKeep[] = {0.98, 0.95, 0.9, 0.8, 0.65, 0.45};

// What RanksToOffer is to be asked for a layer.
struct RankChoice {
  std::vector<double> energies;
  int64_t limit = 0;
};

// The offer of a kind of variant whose only field is a rank; `choice` is asked only where the layer
// can take one.
template <typename RankVariant, typename Choice>
std::vector<std::unique_ptr<FactorVariant>> OfferRanks(LayerSpectra& spectra,
                                                       const DecisionOptions& options,
                                                       const Choice& choice) {
  std::vector<std::unique_ptr<FactorVariant>> variants;
  if (!RankVariant(1).WhyNot(spectra.layer()).empty()) {
    variants.push_back(std::make_unique<RankVariant>(1));  // for its reason
    return variants;
  }
  const RankChoice found = choice();
  for (const int64_t rank : RanksToOffer(found.energies, found.limit, options)) {
    variants.push_back(std::make_unique<RankVariant>(rank));
  }
  return variants;
}

}  // namespace fettle
