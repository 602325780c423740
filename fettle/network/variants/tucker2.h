#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// tucker2(r3=N,r4=N): a convolution as three, 1x1 S -> r3 on the whole input, the window r3 -> r4,
// and 1x1 r4 -> T (Kim et al., "Compression of Deep Convolutional Neural Networks for Fast and Low
// Power Mobile Applications", ICLR 2016). From the weights by higher-order orthogonal iteration.
// With the covariance of the patches: that of the kernel whitened by the channels' covariance, or
// the plain one, whichever is better; given the first factor, the other two are the exact optimum
// (regression of reduced rank), given those, the first is refitted, in turn.
class Tucker2Variant : public FactorVariant {
 public:
  Tucker2Variant(int64_t r3, int64_t r4) : r3_(r3), r4_(r4) {}

  std::string Text() const override;
  std::string WhyNot(const WeightedLayer& layer) const override;
  std::vector<FactorShape> Shapes(const WeightedLayer& layer) const override;
  std::vector<Factor> Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                const Moments* input) const override;
  double LeastErrorFrom(LayerSpectra& spectra) const override;

 private:
  int64_t r3_, r4_;
};

std::unique_ptr<Variant> ParseTucker2(VariantText text);

// Of the pairs to offer one is that of EvbmfRank on either unfolding (no less than a sixteenth of
// the channels), the others keep shares of the energies of both.
std::vector<std::unique_ptr<FactorVariant>> OfferTucker2(LayerSpectra& spectra,
                                                         const DecisionOptions& options);

inline constexpr VariantKind kTucker2Kind = {"tucker2", ParseTucker2, nullptr, OfferTucker2};

}  // namespace fettle
