#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// bottleneck(reduction=N): a convolution S -> T as a 1x1 S -> T/N, one T/N -> T/N with the layer's
// window, and a 1x1 T/N -> T (Moonshine's B, Crowley et al. 2018): fitted as tucker2 with T/N for
// both of its ranks.
class BottleneckVariant : public FactorVariant {
 public:
  explicit BottleneckVariant(int64_t reduction) : reduction_(reduction) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;
  double LeastErrorFrom(LayerSpectra& spectra) const override;

 private:
  int64_t reduction_;
};

std::unique_ptr<Variant> ParseBottleneck(VariantText text);
std::vector<std::unique_ptr<FactorVariant>> OfferBottleneck(LayerSpectra& spectra,
                                                            const DecisionOptions& options);

inline constexpr VariantKind kBottleneckKind = {"bottleneck", ParseBottleneck, nullptr,
                                                OfferBottleneck};

}  // namespace fettle
