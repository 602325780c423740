#include "fettle/network/variants/group_pointwise.h"

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/network/variants/low_rank.h"

namespace fettle {

std::string GroupPointwiseVariant::Text() const {
  return fettle::Text("group_pointwise(groups=", groups_, ")");
}

std::string GroupPointwiseVariant::WhyNot(const WeightedLayer& layer) const {
  std::string reason = WhyNotSpatial(layer);
  if (!reason.empty()) return reason;
  if (layer.inputs % groups_ != 0) {
    return fettle::Text("its ", layer.inputs, " inputs cannot be parted into ", groups_, " groups");
  }
  if (layer.inputs / groups_ > layer.outputs) {
    return fettle::Text("a group of ", layer.inputs / groups_,
                        " inputs would have more filters than ", layer.outputs, " outputs can use");
  }
  return "";
}

std::vector<FactorShape> GroupPointwiseVariant::Shapes(const WeightedLayer& layer) const {
  return {{layer.inputs, layer.inputs, groups_, layer.window},
          PointwiseFactor(layer.outputs, layer.inputs)};
}

std::vector<Factor> GroupPointwiseVariant::Factorise(const WeightedLayer& layer,
                                                     const Matrix& kernel,
                                                     const Moments* input) const {
  const std::vector<FactorShape> shapes = Shapes(layer);
  const auto filters = static_cast<size_t>(layer.inputs / groups_);
  const size_t patch = filters * static_cast<size_t>(layer.taps());
  Matrix grouped(filters * static_cast<size_t>(groups_), patch);
  Matrix pointwise(kernel.rows(), grouped.rows());
  for (size_t g = 0; g < static_cast<size_t>(groups_); ++g) {
    Matrix covariance;
    if (input != nullptr) covariance = CovarianceBlock(*input, g * patch, patch);
    const LowRank parts = LowRankOf(kernel.Columns(g * patch, patch),
                                    input != nullptr ? &covariance : nullptr, filters);
    for (size_t k = 0; k < filters; ++k) {
      std::ranges::copy(parts.right.row(k), grouped.row(g * filters + k).begin());
      for (size_t t = 0; t < kernel.rows(); ++t) pointwise(t, g * filters + k) = parts.left(t, k);
    }
  }
  return {{shapes[0], std::move(grouped)}, {shapes[1], std::move(pointwise)}};
}

std::unique_ptr<Variant> ParseGroupPointwise(VariantText text) {
  const int64_t groups = text.TakeCount("groups");
  text.Finish();
  return std::make_unique<GroupPointwiseVariant>(groups);
}

std::vector<std::unique_ptr<FactorVariant>> OfferGroupPointwise(LayerSpectra& spectra,
                                                                const DecisionOptions& options) {
  const WeightedLayer& layer = spectra.layer();
  std::vector<std::unique_ptr<FactorVariant>> variants;
  for (const int64_t groups : {2, 4, 8, 16, 32}) {
    if (groups > 2 && layer.inputs / groups < 2) break;
    variants.push_back(std::make_unique<GroupPointwiseVariant>(groups));
  }
  return Applicable(std::move(variants), layer, options.most_options);
}

}  // namespace fettle
