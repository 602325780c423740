#include "fettle/network/variants/bottleneck_group.h"

#include <algorithm>
#include <limits>

#include "fettle/core/error.h"
#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/bottleneck.h"
#include "fettle/network/variants/mode_bases.h"

namespace fettle {

std::string BottleneckGroupVariant::Text() const {
  return fettle::Text("bottleneck_group(reduction=", reduction_, ",groups=", groups_, ")");
}

namespace {

// Rounds over all groups; more of them gain little.
constexpr int kRounds = 2;

// The groups' bases side by side.
struct Terms {
  Matrix last;      // T x middle
  Matrix core;      // middle x (middle / groups * taps)
  Matrix first;     // middle x S
  Matrix features;  // middle x (S * taps): core behind first
};

void Put(const TwoModes& term, size_t group, size_t taps, Terms* terms) {
  const size_t width = term.last.columns(), place = group * width;
  const Matrix features = FeaturesOf(term, taps);
  for (size_t k = 0; k < width; ++k) {
    std::ranges::copy(term.core.row(k), terms->core.row(place + k).begin());
    std::ranges::copy(term.first.row(k), terms->first.row(place + k).begin());
    std::ranges::copy(features.row(k), terms->features.row(place + k).begin());
    for (size_t t = 0; t < terms->last.rows(); ++t) terms->last(t, place + k) = term.last(t, k);
  }
}

// What the kernel is without the terms, but for those of one group.
Matrix Left(const Matrix& kernel, const Terms& terms, size_t group, size_t groups) {
  Matrix others = terms.last;
  const size_t width = others.columns() / groups;
  for (size_t t = 0; t < others.rows(); ++t) {
    std::fill_n(others.row(t).begin() + static_cast<ptrdiff_t>(group * width), width, 0.0);
  }
  return kernel - Product(others, terms.features);
}

// The last one of least squares for the kernel, whatever the inputs.
Matrix BestLast(const Matrix& kernel, const Matrix& features) {
  Matrix normal = ProductWithTransposed(features, features);
  return SolvePositive(normal, ProductWithTransposed(features, kernel)).Transposed();
}

}  // namespace

std::string BottleneckGroupVariant::WhyNot(const WeightedLayer& layer) const {
  std::string reason = BottleneckVariant(reduction_).WhyNot(layer);
  if (!reason.empty()) return reason;
  const int64_t middle = layer.outputs / reduction_;
  if (middle % groups_ != 0) {
    return fettle::Text("the ", middle, " channels between cannot be parted into ", groups_,
                        " groups");
  }
  return "";
}

std::vector<FactorShape> BottleneckGroupVariant::Shapes(const WeightedLayer& layer) const {
  std::vector<FactorShape> shapes = BottleneckVariant(reduction_).Shapes(layer);
  shapes[1].groups = groups_;
  return shapes;
}

std::vector<Factor> BottleneckGroupVariant::Factorise(const WeightedLayer& layer,
                                                      const Matrix& kernel,
                                                      const Moments* input) const {
  const std::vector<FactorShape> shapes = Shapes(layer);
  const auto taps = static_cast<size_t>(layer.taps()), groups = static_cast<size_t>(groups_);
  const auto middle = static_cast<size_t>(shapes[1].outputs);
  const size_t width = middle / groups;
  Terms terms = {Matrix(kernel.rows(), middle), Matrix(middle, width * taps),
                 Matrix(middle, static_cast<size_t>(layer.inputs)),
                 Matrix(middle, kernel.columns())};
  Terms best = terms;
  double least = std::numeric_limits<double>::infinity();
  for (int round = 0; round < kRounds; ++round) {
    for (size_t g = 0; g < groups; ++g) {
      Put(ProjectModes(Left(kernel, terms, g, groups), taps, input, width, width), g, taps, &terms);
    }
    if (input == nullptr) terms.last = BestLast(kernel, terms.features);
    const double error = RelativeError(kernel, Product(terms.last, terms.features), input);
    if (error < least) {
      least = error;
      best = terms;
    }
  }
  return {{shapes[0], std::move(best.first)},
          {shapes[1], std::move(best.core)},
          {shapes[2], std::move(best.last)}};
}

double BottleneckGroupVariant::LeastErrorFrom(LayerSpectra& spectra) const {
  const int64_t middle = spectra.layer().outputs / reduction_;
  return spectra.LeastLossOfRanks(middle, middle);
}

std::unique_ptr<Variant> ParseBottleneckGroup(VariantText text) {
  const int64_t reduction = text.TakeCount("reduction");
  const int64_t groups = text.TakeCount("groups");
  text.Finish();
  return std::make_unique<BottleneckGroupVariant>(reduction, groups);
}

std::vector<std::unique_ptr<FactorVariant>> OfferBottleneckGroup(LayerSpectra& spectra,
                                                                 const DecisionOptions& options) {
  std::vector<std::unique_ptr<FactorVariant>> variants;
  for (const int64_t groups : {2, 4}) {
    variants.push_back(std::make_unique<BottleneckGroupVariant>(2, groups));
  }
  return Applicable(std::move(variants), spectra.layer(), options.most_options);
}

}  // namespace fettle
