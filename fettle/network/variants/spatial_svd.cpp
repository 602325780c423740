#include "fettle/network/variants/spatial_svd.h"

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/network/variants/first_factor.h"
#include "fettle/network/variants/unfolding.h"

namespace fettle {
namespace {

int64_t MostRank(const WeightedLayer& layer) {
  return std::min(layer.inputs * layer.kernel_height(), layer.outputs * layer.kernel_width());
}

}  // namespace

std::string SpatialSvdVariant::Text() const {
  return fettle::Text("spatial_svd(rank=", rank_, ")");
}

std::string SpatialSvdVariant::WhyNot(const WeightedLayer& layer) const {
  std::string reason = WhyNotSpatial(layer);
  if (!reason.empty()) return reason;
  const int64_t most = MostRank(layer);
  if (rank_ > most) return fettle::Text("its rank is ", most, " at most");
  return "";
}

std::vector<FactorShape> SpatialSvdVariant::Shapes(const WeightedLayer& layer) const {
  return {{rank_, layer.inputs, 1, WindowAlong(layer.window, 0)},
          {layer.outputs, rank_, 1, WindowAlong(layer.window, 1)}};
}

std::vector<Factor> SpatialSvdVariant::Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                                 const Moments* input) const {
  const auto width = static_cast<size_t>(layer.kernel_width());
  const std::vector<FactorShape> shapes = Shapes(layer);
  const Matrix unfolded = Unfolded(kernel, width);
  const auto factors = [&](const Moments* moments) {
    RankFactors best = BestOfRank(unfolded, static_cast<size_t>(rank_), moments, width);
    return std::vector<Factor>{{shapes[0], std::move(best.first)},
                               {shapes[1], Folded(best.rest, width)}};
  };
  std::vector<Factor> plain = factors(nullptr);
  if (input == nullptr) return plain;
  std::vector<Factor> weighted = factors(input);
  KeepBetter(kernel, *input, std::move(plain), &weighted);
  RefitInTurn(kernel, *input, &weighted);
  return weighted;
}

std::optional<double> SpatialSvdVariant::ErrorFrom(LayerSpectra& spectra) const {
  return spectra.LossOfRank(spectra.layer().kernel_width(), rank_);
}

std::unique_ptr<Variant> ParseSpatialSvd(VariantText text) {
  const int64_t rank = text.TakeCount("rank");
  text.Finish();
  return std::make_unique<SpatialSvdVariant>(rank);
}

std::vector<std::unique_ptr<FactorVariant>> OfferSpatialSvd(LayerSpectra& spectra,
                                                            const DecisionOptions& options) {
  const WeightedLayer& layer = spectra.layer();
  return OfferRanks<SpatialSvdVariant>(spectra, options, [&] {
    return RankChoice{spectra.Spectrum(layer.kernel_width()), MostRank(layer)};
  });
}

}  // namespace fettle
