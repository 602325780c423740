#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// svd(rank=N): a linear layer or 1x1 convolution W [T,S] as two, S -> rank -> T: U (U^T W), with U
// the first eigenvectors of W W^T or, with the covariance C of its inputs, of W C W^T, which loses
// the least of the layer's outputs. A stride and padding stand in the first.
class SvdVariant : public FactorVariant {
 public:
  explicit SvdVariant(int64_t rank) : rank_(rank) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;
  std::optional<double> ErrorFrom(LayerSpectra& spectra) const override;

 private:
  int64_t rank_;
};

std::unique_ptr<Variant> ParseSvd(VariantText text);
std::vector<std::unique_ptr<FactorVariant>> OfferSvd(LayerSpectra& spectra,
                                                     const DecisionOptions& options);

inline constexpr VariantKind kSvdKind = {"svd", ParseSvd, nullptr, OfferSvd};

}  // namespace fettle
