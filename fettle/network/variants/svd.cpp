#include "fettle/network/variants/svd.h"

#include <algorithm>

#include "fettle/core/error.h"

namespace fettle {

std::string SvdVariant::Text() const { return fettle::Text("svd(rank=", rank_, ")"); }

std::string SvdVariant::WhyNot(const WeightedLayer& layer) const {
  if (layer.groups != 1) return "it is in groups";
  if (layer.taps() != 1)
    return "its kernel is larger than 1x1: spatial_svd, tucker1 and tucker2 are for that";
  const int64_t most = std::min(layer.outputs, layer.inputs);
  if (rank_ > most) return fettle::Text("its rank is ", most, " at most");
  return "";
}

std::vector<FactorShape> SvdVariant::Shapes(const WeightedLayer& layer) const {
  return {{rank_, layer.inputs, 1, layer.window}, PointwiseFactor(layer.outputs, rank_)};
}

std::vector<Factor> SvdVariant::Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                          const Moments* input) const {
  const std::vector<FactorShape> shapes = Shapes(layer);
  Matrix last = ResponseBasisOf(kernel, input).vectors.Columns(0, static_cast<size_t>(rank_));
  Matrix first = TransposedProduct(last, kernel);
  return {{shapes[0], std::move(first)}, {shapes[1], std::move(last)}};
}

std::optional<double> SvdVariant::ErrorFrom(LayerSpectra& spectra) const {
  return spectra.LossOfRank(1, rank_);
}

std::unique_ptr<Variant> ParseSvd(VariantText text) {
  const int64_t rank = text.TakeCount("rank");
  text.Finish();
  return std::make_unique<SvdVariant>(rank);
}

std::vector<std::unique_ptr<FactorVariant>> OfferSvd(LayerSpectra& spectra,
                                                     const DecisionOptions& options) {
  const WeightedLayer& layer = spectra.layer();
  return OfferRanks<SvdVariant>(spectra, options, [&] {
    const int64_t limit = (layer.outputs * layer.inputs + layer.outputs + layer.inputs - 1) /
                          (layer.outputs + layer.inputs);
    return RankChoice{spectra.Spectrum(1), limit};
  });
}

}  // namespace fettle
