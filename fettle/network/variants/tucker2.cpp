#include "fettle/network/variants/tucker2.h"

#include <algorithm>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/network/linalg/evbmf.h"
#include "fettle/network/variants/first_factor.h"
#include "fettle/network/variants/higher_order.h"
#include "fettle/network/variants/unfolding.h"

namespace fettle {
namespace {

constexpr double kWorthwhileGain = 1e-4;

// Three factors, and how far they are off.
struct Fit {
  std::vector<Factor> factors;
  double error = 0;
};

// The best second and third factor for a first one and the inputs' covariance: the least squares of
// all of what is behind the first, projected on the first r4 eigenvectors of its outputs.
Fit BestBehind(const std::vector<FactorShape>& shapes, const Matrix& kernel, const Moments& input,
               std::vector<Factor> factors) {
  const Matrix behind = Product(factors[2].weights, factors[1].weights);
  FactorShape shape = shapes[1];
  shape.outputs = shapes[2].outputs;
  std::vector<Factor> two = {std::move(factors[0]), {shape, behind}};
  RefitLast(kernel, input, &two);
  Matrix last = ResponseBasisOf(ComposedKernel(two), &input)
                    .vectors.Columns(0, static_cast<size_t>(shapes[2].inputs));
  Matrix middle = TransposedProduct(last, two[1].weights);
  Fit fit{{std::move(two[0]), {shapes[1], std::move(middle)}, {shapes[2], std::move(last)}}, 0};
  fit.error = RelativeError(kernel, ComposedKernel(fit.factors), &input);
  return fit;
}

// The pairs of ranks, those with the most parameters first.
std::vector<std::pair<int64_t, int64_t>> PairsToOffer(LayerSpectra& spectra,
                                                      const DecisionOptions& options) {
  const WeightedLayer& layer = spectra.layer();
  const std::vector<double>&of_inputs = spectra.Spectrum(layer.taps()),
        &of_outputs = spectra.Spectrum(1);
  const int64_t step = options.channel_step;
  const auto found = [&](const std::vector<double>& energies, int64_t channels, int64_t others) {
    const auto rank = static_cast<int64_t>(
        EvbmfRank(energies, static_cast<size_t>(channels), static_cast<size_t>(others)));
    return (std::max({rank, channels / 16, int64_t{1}}) + step - 1) / step * step;
  };
  std::vector<std::pair<int64_t, int64_t>> pairs;
  const auto offer = [&](int64_t r3, int64_t r4) {
    const std::pair pair(std::min(r3, std::min(layer.inputs, layer.outputs * layer.taps())),
                         std::min(r4, std::min(layer.outputs, layer.patch())));
    const Tucker2Variant variant(pair.first, pair.second);
    int64_t parameters = 0;
    const std::vector<FactorShape> shapes = variant.Shapes(layer);
    for (const FactorShape& shape : shapes) parameters += shape.parameters();
    const FactorShape whole = {layer.outputs, layer.inputs, 1, layer.window};
    const bool saves = parameters < whole.parameters() ||
                       MacsOf(layer, shapes) < MacsOf(layer, std::vector{whole});
    if (saves && std::ranges::find(pairs, pair) == pairs.end()) pairs.push_back(pair);
  };
  offer(found(of_inputs, layer.inputs, layer.outputs * layer.taps()),
        found(of_outputs, layer.outputs, layer.patch()));
  for (const double share : kSharesToKeep) {
    offer(RankKeeping(share, of_inputs, options), RankKeeping(share, of_outputs, options));
  }
  if (static_cast<int64_t>(pairs.size()) > options.most_options) {
    pairs.resize(static_cast<size_t>(options.most_options));
  }
  std::ranges::stable_sort(pairs, [&](const auto& a, const auto& b) {
    const auto parameters = [&](const auto& pair) {
      return pair.first * layer.inputs + pair.first * pair.second * layer.taps() +
             pair.second * layer.outputs;
    };
    return parameters(a) > parameters(b);
  });
  return pairs;
}

}  // namespace

std::string Tucker2Variant::Text() const {
  return fettle::Text("tucker2(r3=", r3_, ",r4=", r4_, ")");
}

std::string Tucker2Variant::WhyNot(const WeightedLayer& layer) const {
  std::string reason = WhyNotSpatial(layer);
  if (!reason.empty()) return reason;
  const int64_t most3 = std::min(layer.inputs, layer.outputs * layer.taps());
  const int64_t most4 = std::min(layer.outputs, layer.patch());
  if (r3_ > most3) return fettle::Text("its r3 is ", most3, " at most");
  if (r4_ > most4) return fettle::Text("its r4 is ", most4, " at most");
  return "";
}

std::vector<FactorShape> Tucker2Variant::Shapes(const WeightedLayer& layer) const {
  return {PointwiseFactor(r3_, layer.inputs),
          {r4_, r3_, 1, layer.window},
          PointwiseFactor(layer.outputs, r4_)};
}

std::vector<Factor> Tucker2Variant::Factorise(const WeightedLayer& layer, const Matrix& kernel,
                                              const Moments* input) const {
  const auto taps = static_cast<size_t>(layer.taps());
  const std::vector<FactorShape> shapes = Shapes(layer);
  const auto factors = [&](const Matrix& of, const Matrix* whitening) {
    ChannelBases bases =
        BestChannelBases(of, taps, static_cast<size_t>(r3_), static_cast<size_t>(r4_));
    Matrix core = CoreOf(of, taps, bases);
    Matrix first = bases.inputs.Transposed();
    if (whitening != nullptr) first = Product(first, *whitening);
    return std::vector<Factor>{{shapes[0], std::move(first)},
                               {shapes[1], std::move(core)},
                               {shapes[2], std::move(bases.outputs)}};
  };
  std::vector<Factor> plain = factors(kernel, nullptr);
  if (input == nullptr) return plain;

  const Whitening whitening = WhiteningOf(*input, taps);
  Fit best = BestBehind(shapes, kernel, *input, std::move(plain));
  Fit whitened = BestBehind(shapes, kernel, *input,
                            factors(whitening.Whitened(kernel, taps), &whitening.inverse));
  if (whitened.error < best.error) best = std::move(whitened);
  for (int left = StepsToAfford(kernel); left > 0; left -= kStepsARound) {
    // Behind an orthonormal last factor the others are judged by the kernel projected on it.
    std::vector<Factor> front(best.factors.begin(), best.factors.end() - 1);
    RefitFirst(TransposedProduct(best.factors[2].weights, kernel), *input,
               std::min(left, kStepsARound), &front);
    front.push_back(best.factors[2]);
    Fit fit = BestBehind(shapes, kernel, *input, std::move(front));
    if (!(fit.error < best.error)) break;
    const bool is_worthwhile = best.error - fit.error >= kWorthwhileGain * best.error;
    best = std::move(fit);
    if (!is_worthwhile) break;
  }
  return std::move(best.factors);
}

double Tucker2Variant::LeastErrorFrom(LayerSpectra& spectra) const {
  return spectra.LeastLossOfRanks(r3_, r4_);
}

std::unique_ptr<Variant> ParseTucker2(VariantText text) {
  const int64_t r3 = text.TakeCount("r3"), r4 = text.TakeCount("r4");
  text.Finish();
  return std::make_unique<Tucker2Variant>(r3, r4);
}

std::vector<std::unique_ptr<FactorVariant>> OfferTucker2(LayerSpectra& spectra,
                                                         const DecisionOptions& options) {
  std::vector<std::unique_ptr<FactorVariant>> variants;
  if (!Tucker2Variant(1, 1).WhyNot(spectra.layer()).empty()) {
    variants.push_back(std::make_unique<Tucker2Variant>(1, 1));  // for its reason
    return variants;
  }
  for (const auto& [r3, r4] : PairsToOffer(spectra, options)) {
    variants.push_back(std::make_unique<Tucker2Variant>(r3, r4));
  }
  return variants;
}

}  // namespace fettle
