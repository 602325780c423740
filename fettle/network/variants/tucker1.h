#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// tucker1(rank=N): a convolution W [T, S*Dh*Dw] as two, the whole window S -> rank and 1x1 rank ->
// T: U (U^T W), with U the first eigenvectors of W W^T or, with the covariance C of its patches, of
// W C W^T, which loses the least of the layer's outputs (Zhang et al., "Accelerating Very Deep
// Convolutional Networks for Classification and Detection", TPAMI 2015). Exact, as svd.
class Tucker1Variant : public FactorVariant {
 public:
  explicit Tucker1Variant(int64_t rank) : rank_(rank) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;
  std::optional<double> ErrorFrom(LayerSpectra& spectra) const override;

 private:
  int64_t rank_;
};

std::unique_ptr<Variant> ParseTucker1(VariantText text);
std::vector<std::unique_ptr<FactorVariant>> OfferTucker1(LayerSpectra& spectra,
                                                         const DecisionOptions& options);

inline constexpr VariantKind kTucker1Kind = {"tucker1", ParseTucker1, nullptr, OfferTucker1};

}  // namespace fettle
