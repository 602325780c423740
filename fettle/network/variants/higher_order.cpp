#include "fettle/network/variants/higher_order.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/unfolding.h"

namespace fettle {
namespace {

constexpr double kWorthwhileGain = 1e-6;
constexpr double kMostMultiplications = 6e9;

struct Basis {
  Matrix vectors;
  double energy = 0;  // of the rows of the unfolding, projected on them
};

Basis LeadingBasis(const Matrix& unfolded, size_t rank) {
  EigenDecomposition eigen = SymmetricEigen(ProductWithTransposed(unfolded, unfolded));
  return {eigen.vectors.Columns(0, rank),
          std::accumulate(eigen.values.begin(), eigen.values.begin() + static_cast<ptrdiff_t>(rank),
                          0.0)};
}

double MultiplicationsARound(const Matrix& kernel, size_t taps, size_t r3, size_t r4) {
  const auto outputs = static_cast<double>(kernel.rows());
  const size_t channels = kernel.columns() / taps;
  const auto inputs = static_cast<double>(channels);
  const auto of_products = static_cast<double>(kernel.values().size() * (r3 + r4));
  const double of_grams = static_cast<double>(taps) * (inputs * inputs * static_cast<double>(r4) +
                                                       outputs * outputs * static_cast<double>(r3));
  constexpr double kOfEigen = 10;  // times the cube
  return of_products + of_grams +
         kOfEigen * (inputs * inputs * inputs + outputs * outputs * outputs);
}

}  // namespace

ChannelBases BestChannelBases(const Matrix& kernel, size_t taps, size_t r3, size_t r4,
                              int most_rounds) {
  const Matrix by_inputs = Unfolded(kernel, taps);
  const double affordable = kMostMultiplications / MultiplicationsARound(kernel, taps, r3, r4);
  const int rounds = static_cast<int>(std::min(affordable, static_cast<double>(most_rounds)));
  const double whole = kernel.SquaredNorm();
  ChannelBases bases;
  bases.inputs = LeadingBasis(by_inputs, r3).vectors;
  double kept = 0;
  for (int round = 0;; ++round) {
    Basis outputs = LeadingBasis(Folded(TransposedProduct(bases.inputs, by_inputs), taps), r4);
    bases.outputs = std::move(outputs.vectors);
    const double gain = outputs.energy - kept;
    if (round >= rounds || gain <= kWorthwhileGain * (whole - outputs.energy)) return bases;
    kept = outputs.energy;
    bases.inputs =
        LeadingBasis(Unfolded(TransposedProduct(bases.outputs, kernel), taps), r3).vectors;
  }
}

Matrix CoreOf(const Matrix& kernel, size_t taps, const ChannelBases& bases) {
  const Matrix by_inputs = Unfolded(TransposedProduct(bases.outputs, kernel), taps);
  return Folded(TransposedProduct(bases.inputs, by_inputs), taps);
}

}  // namespace fettle
