#include "fettle/network/variants/higher_order.h"

#include <numeric>
#include <vector>

#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/unfolding.h"

namespace fettle {
namespace {

constexpr double kWorthwhileGain = 1e-6;

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

}  // namespace

ChannelBases BestChannelBases(const Matrix& kernel, size_t taps, size_t r3, size_t r4,
                              int most_rounds) {
  const Matrix by_inputs = Unfolded(kernel, taps);
  ChannelBases bases;
  bases.inputs = LeadingBasis(by_inputs, r3).vectors;
  const double whole = kernel.SquaredNorm();
  double kept = 0;
  for (int round = 0; round <= most_rounds; ++round) {
    Basis outputs = LeadingBasis(Folded(TransposedProduct(bases.inputs, by_inputs), taps), r4);
    bases.outputs = std::move(outputs.vectors);
    if (outputs.energy - kept <= kWorthwhileGain * (whole - outputs.energy)) break;
    kept = outputs.energy;
    bases.inputs =
        LeadingBasis(Unfolded(TransposedProduct(bases.outputs, kernel), taps), r3).vectors;
  }
  return bases;
}

Matrix CoreOf(const Matrix& kernel, size_t taps, const ChannelBases& bases) {
  const Matrix by_inputs = Unfolded(TransposedProduct(bases.outputs, kernel), taps);
  return Folded(TransposedProduct(bases.inputs, by_inputs), taps);
}

}  // namespace fettle
