#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// depthwise(multiplier=N): a convolution S -> T as a depthwise one with N filters an input, S -> N
// S, with the layer's window, and a 1x1 N S -> T. What the outputs see of one input, T x taps, is
// reduced to N filters by the SVD that loses least (Guo et al. 2018, "Network decoupling"), in the
// metric of the input's patches where there are moments. With min(T, taps) filters it is the layer.
class DepthwiseVariant : public FactorVariant {
 public:
  explicit DepthwiseVariant(int64_t multiplier) : multiplier_(multiplier) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;

 private:
  int64_t multiplier_;
};

std::unique_ptr<Variant> ParseDepthwise(VariantText text);
std::vector<std::unique_ptr<FactorVariant>> OfferDepthwise(LayerSpectra& spectra,
                                                           const DecisionOptions& options);

inline constexpr VariantKind kDepthwiseKind = {"depthwise", ParseDepthwise, nullptr,
                                               OfferDepthwise};

}  // namespace fettle
