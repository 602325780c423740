#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// spatial_svd(rank=N): a convolution W as two, Dh x 1 S -> rank and 1 x Dw rank -> T (Jaderberg,
// Vedaldi & Zisserman, "Speeding up Convolutional Neural Networks with Low Rank Expansions", BMVC
// 2014): the singular value decomposition of W as a matrix (S*Dh) x (T*Dw). Stride, padding and
// dilation along an axis stand in the factor with the taps along it. With the covariance of its
// patches: that decomposition for the mean covariance of the patch's columns, or the plain one,
// whichever is better once refitted, then both factors by least squares in turn.
class SpatialSvdVariant : public FactorVariant {
 public:
  explicit SpatialSvdVariant(int64_t rank) : rank_(rank) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;
  std::optional<double> ErrorFrom(LayerSpectra& spectra) const override;

 private:
  int64_t rank_;
};

std::unique_ptr<Variant> ParseSpatialSvd(VariantText text);
std::vector<std::unique_ptr<FactorVariant>> OfferSpatialSvd(LayerSpectra& spectra,
                                                            const DecisionOptions& options);

inline constexpr VariantKind kSpatialSvdKind = {"spatial_svd", ParseSpatialSvd, nullptr,
                                                OfferSpatialSvd};

}  // namespace fettle
