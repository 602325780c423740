#include "fettle/network/variants/tucker1.h"

#include <algorithm>

#include "fettle/core/error.h"

namespace fettle {

std::string Tucker1Variant::Text() const { return fettle::Text("tucker1(rank=", rank_, ")"); }

std::string Tucker1Variant::WhyNot(const WeightedLayer& layer) const {
  std::string reason = WhyNotSpatial(layer);
  if (!reason.empty()) return reason;
  const int64_t most = std::min(layer.outputs, layer.patch());
  if (rank_ > most) return fettle::Text("its rank is ", most, " at most");
  return "";
}

std::vector<FactorShape> Tucker1Variant::Shapes(const WeightedLayer& layer) const {
  return {{rank_, layer.inputs, 1, layer.window}, PointwiseFactor(layer.outputs, rank_)};
}

std::vector<Factor> Tucker1Variant::Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                              const Moments* input) const {
  const std::vector<FactorShape> shapes = Shapes(layer);
  Matrix last = ResponseBasisOf(kernel, input).vectors.Columns(0, static_cast<size_t>(rank_));
  Matrix first = TransposedProduct(last, kernel);
  return {{shapes[0], std::move(first)}, {shapes[1], std::move(last)}};
}

std::optional<double> Tucker1Variant::ErrorFrom(LayerSpectra& spectra) const {
  return spectra.LossOfRank(1, rank_);
}

std::unique_ptr<Variant> ParseTucker1(VariantText text) {
  const int64_t rank = text.TakeCount("rank");
  text.Finish();
  return std::make_unique<Tucker1Variant>(rank);
}

std::vector<std::unique_ptr<FactorVariant>> OfferTucker1(LayerSpectra& spectra,
                                                         const DecisionOptions& options) {
  const WeightedLayer& layer = spectra.layer();
  return OfferRanks<Tucker1Variant>(spectra, options, [&] {
    return RankChoice{spectra.Spectrum(1), std::min(layer.outputs, layer.patch())};
  });
}

}  // namespace fettle
