#include "fettle/network/variants/depthwise.h"

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/network/variants/low_rank.h"

namespace fettle {

std::string DepthwiseVariant::Text() const {
  return fettle::Text("depthwise(multiplier=", multiplier_, ")");
}

std::string DepthwiseVariant::WhyNot(const WeightedLayer& layer) const {
  std::string reason = WhyNotSpatial(layer);
  if (!reason.empty()) return reason;
  const int64_t most = std::min(layer.outputs, layer.taps());
  if (multiplier_ > most) return fettle::Text("its multiplier is ", most, " at most");
  return "";
}

std::vector<FactorShape> DepthwiseVariant::Shapes(const WeightedLayer& layer) const {
  const int64_t filters = layer.inputs * multiplier_;
  return {{filters, layer.inputs, layer.inputs, layer.window},
          PointwiseFactor(layer.outputs, filters)};
}

std::vector<Factor> DepthwiseVariant::Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                                const Moments* input) const {
  const std::vector<FactorShape> shapes = Shapes(layer);
  const auto inputs = static_cast<size_t>(layer.inputs), taps = static_cast<size_t>(layer.taps());
  const auto filters = static_cast<size_t>(multiplier_);
  Matrix depthwise(inputs * filters, taps);
  Matrix pointwise(kernel.rows(), inputs * filters);
  for (size_t s = 0; s < inputs; ++s) {
    Matrix covariance;
    if (input != nullptr) covariance = CovarianceBlock(*input, s * taps, taps);
    const LowRank parts = LowRankOf(kernel.Columns(s * taps, taps),
                                    input != nullptr ? &covariance : nullptr, filters);
    for (size_t k = 0; k < filters; ++k) {
      std::ranges::copy(parts.right.row(k), depthwise.row(s * filters + k).begin());
      for (size_t t = 0; t < kernel.rows(); ++t) pointwise(t, s * filters + k) = parts.left(t, k);
    }
  }
  return {{shapes[0], std::move(depthwise)}, {shapes[1], std::move(pointwise)}};
}

std::unique_ptr<Variant> ParseDepthwise(VariantText text) {
  const int64_t multiplier = text.TakeCount("multiplier");
  text.Finish();
  return std::make_unique<DepthwiseVariant>(multiplier);
}

std::vector<std::unique_ptr<FactorVariant>> OfferDepthwise(LayerSpectra& spectra,
                                                           const DecisionOptions& options) {
  std::vector<std::unique_ptr<FactorVariant>> variants;
  for (const int64_t multiplier : {2, 1}) {
    variants.push_back(std::make_unique<DepthwiseVariant>(multiplier));
  }
  return Applicable(std::move(variants), spectra.layer(), options.most_options);
}

}  // namespace fettle
