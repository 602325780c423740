#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// group_pointwise(groups=N): a convolution S -> T as one S -> S in N groups, with the layer's
// window, and a 1x1 S -> T (Moonshine's G, Crowley et al. 2018). What the outputs see of the S/N
// inputs of a group, T x (S/N taps), is reduced to S/N filters by the SVD that loses least, in the
// metric of the group's patches where there are moments.
class GroupPointwiseVariant : public FactorVariant {
 public:
  explicit GroupPointwiseVariant(int64_t groups) : groups_(groups) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;

 private:
  int64_t groups_;
};

std::unique_ptr<Variant> ParseGroupPointwise(VariantText text);
std::vector<std::unique_ptr<FactorVariant>> OfferGroupPointwise(LayerSpectra& spectra,
                                                                const DecisionOptions& options);

inline constexpr VariantKind kGroupPointwiseKind = {"group_pointwise", ParseGroupPointwise, nullptr,
                                                    OfferGroupPointwise};

}  // namespace fettle
