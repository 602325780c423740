#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// cp(rank=N): a convolution as four, 1x1 S -> rank, Dh x 1 and 1 x Dw channel by channel, and 1x1
// rank -> T (Lebedev et al., "Speeding-up Convolutional Neural Networks Using Fine-tuned
// CP-Decomposition", ICLR 2015); where the kernel has one tap along an axis, the two in the middle
// are one. With the covariance of the patches: the components of the kernel whitened by the
// channels' covariance, or the plain ones, whichever are better once refitted, then the first and
// the last factor by least squares in turn.
class CpVariant : public FactorVariant {
 public:
  explicit CpVariant(int64_t rank) : rank_(rank) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;
  double LeastErrorFrom(LayerSpectra& spectra) const override;

 private:
  int64_t rank_;
};

std::unique_ptr<Variant> ParseCp(VariantText text);

// Ranks by the energies of the kernel as a matrix (S*Dh) x (T*Dw): of rank N, the best of these
// keeps no less than the best cp(rank=N).
std::vector<std::unique_ptr<FactorVariant>> OfferCp(LayerSpectra& spectra,
                                                    const DecisionOptions& options);

inline constexpr VariantKind kCpKind = {"cp", ParseCp, nullptr, OfferCp};

}  // namespace fettle
