#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// bottleneck_group(reduction=N,groups=G): a bottleneck (bottleneck.h) whose middle convolution is
// in G groups (Moonshine's BG, Crowley et al. 2018). A group is a bottleneck of T/N/G channels of
// its own, and the layer their sum, a decomposition in block terms (De Lathauwer 2008): each is
// fitted to what the others leave, in turn, and the last 1x1 to all of them.
class BottleneckGroupVariant : public FactorVariant {
 public:
  BottleneckGroupVariant(int64_t reduction, int64_t groups)
      : reduction_(reduction), groups_(groups) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;
  double LeastErrorFrom(LayerSpectra& spectra) const override;

 private:
  int64_t reduction_;
  int64_t groups_;
};

std::unique_ptr<Variant> ParseBottleneckGroup(VariantText text);
std::vector<std::unique_ptr<FactorVariant>> OfferBottleneckGroup(LayerSpectra& spectra,
                                                                 const DecisionOptions& options);

inline constexpr VariantKind kBottleneckGroupKind = {"bottleneck_group", ParseBottleneckGroup,
                                                     nullptr, OfferBottleneckGroup};

}  // namespace fettle
