#include "fettle/network/variants/cp.h"

#include <algorithm>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/network/variants/cp_components.h"
#include "fettle/network/variants/first_factor.h"
#include "fettle/network/variants/unfolding.h"

namespace fettle {
namespace {

// As many components give any kernel.
int64_t MostRank(const WeightedLayer& layer) {
  const int64_t all = layer.outputs * layer.patch();
  return all / std::max({layer.outputs, layer.inputs, layer.kernel_height(), layer.kernel_width()});
}

bool HasOneAxis(const WeightedLayer& layer) {
  return layer.kernel_height() == 1 || layer.kernel_width() == 1;
}

std::vector<Factor> FactorsOf(const WeightedLayer& layer, const std::vector<FactorShape>& shapes,
                              const CpComponents& c) {
  std::vector<Factor> factors = {{shapes[0], c.inputs.Transposed()}};
  if (HasOneAxis(layer)) {
    Matrix taps(c.rank(), static_cast<size_t>(layer.taps()));
    for (size_t r = 0; r < c.rank(); ++r) {
      for (size_t k = 0; k < taps.columns(); ++k) {
        taps(r, k) = layer.kernel_width() == 1 ? c.rows(k, r) * c.columns(0, r)
                                               : c.rows(0, r) * c.columns(k, r);
      }
    }
    factors.push_back({shapes[1], std::move(taps)});
  } else {
    factors.push_back({shapes[1], c.rows.Transposed()});
    factors.push_back({shapes[2], c.columns.Transposed()});
  }
  factors.push_back({shapes.back(), c.outputs});
  return factors;
}

// CpComponents::ComponentEnergy of what they were made of.
double EnergyOf(const std::vector<Factor>& factors) {
  const Matrix& last = factors.back().weights;
  double sum = 0;
  for (size_t r = 0; r < last.columns(); ++r) {
    double energy = 0;
    for (size_t t = 0; t < last.rows(); ++t) energy += last(t, r) * last(t, r);
    for (size_t i = 0; i + 1 < factors.size(); ++i) {
      double of_row = 0;
      for (const double value : factors[i].weights.row(r)) of_row += value * value;
      energy *= of_row;
    }
    sum += energy;
  }
  return sum;
}

}  // namespace

std::string CpVariant::Text() const { return fettle::Text("cp(rank=", rank_, ")"); }

std::string CpVariant::WhyNot(const WeightedLayer& layer) const {
  std::string reason = WhyNotSpatial(layer);
  if (!reason.empty()) return reason;
  const int64_t most = MostRank(layer);
  if (rank_ > most) return fettle::Text("its rank is ", most, " at most");
  return "";
}

std::vector<FactorShape> CpVariant::Shapes(const WeightedLayer& layer) const {
  std::vector<FactorShape> shapes = {PointwiseFactor(rank_, layer.inputs)};
  if (HasOneAxis(layer)) {
    shapes.push_back({rank_, rank_, rank_, layer.window});
  } else {
    shapes.push_back({rank_, rank_, rank_, WindowAlong(layer.window, 0)});
    shapes.push_back({rank_, rank_, rank_, WindowAlong(layer.window, 1)});
  }
  shapes.push_back(PointwiseFactor(layer.outputs, rank_));
  return shapes;
}

std::vector<Factor> CpVariant::Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                         const Moments* input) const {
  const auto height = static_cast<size_t>(layer.kernel_height());
  const auto width = static_cast<size_t>(layer.kernel_width());
  const auto rank = static_cast<size_t>(rank_);
  const std::vector<FactorShape> shapes = Shapes(layer);
  std::vector<Factor> plain =
      FactorsOf(layer, shapes, BestComponents(kernel, height, width, rank, {}));
  if (input == nullptr) return plain;

  const Whitening whitening = WhiteningOf(*input, height * width);
  CpComponents whitened =
      BestComponents(whitening.Whitened(kernel, height * width), height, width, rank, {});
  whitened.inputs = TransposedProduct(whitening.inverse, whitened.inputs);
  whitened.Balance();
  std::vector<Factor> factors = FactorsOf(layer, shapes, whitened);
  KeepBetter(kernel, *input, std::move(plain), &factors);
  // Fitted to data, components would begin to cancel again.
  const double most = std::max(kMostComponentEnergy * kernel.SquaredNorm(), EnergyOf(factors));
  RefitInTurn(kernel, *input, &factors,
              [&](const std::vector<Factor>& row) { return EnergyOf(row) <= most; });
  return factors;
}

double CpVariant::LeastErrorFrom(LayerSpectra& spectra) const {
  return spectra.LossOfRank(spectra.layer().kernel_width(), rank_);
}

std::unique_ptr<Variant> ParseCp(VariantText text) {
  const int64_t rank = text.TakeCount("rank");
  text.Finish();
  return std::make_unique<CpVariant>(rank);
}

std::vector<std::unique_ptr<FactorVariant>> OfferCp(LayerSpectra& spectra,
                                                    const DecisionOptions& options) {
  const WeightedLayer& layer = spectra.layer();
  return OfferRanks<CpVariant>(spectra, options, [&] {
    // With more it would have no fewer parameters.
    const int64_t a_component =
        layer.outputs + layer.inputs + layer.kernel_height() + layer.kernel_width();
    const int64_t limit = layer.outputs * layer.patch() / a_component + 1;
    return RankChoice{spectra.Spectrum(layer.kernel_width()), std::min(limit, MostRank(layer) + 1)};
  });
}

}  // namespace fettle
