#include "fettle/network/variants/layer_spectra.h"

#include <algorithm>
#include <numeric>
#include <utility>

#include "fettle/network/linalg/decompositions.h"
#include "fettle/network/variants/unfolding.h"

namespace fettle {

LayerSpectra::LayerSpectra(const Graph& graph, WeightedLayer layer)
    : graph_(graph), layer_(std::move(layer)) {}

const Matrix& LayerSpectra::Kernel() {
  if (!kernel_) kernel_ = KernelOf(graph_, layer_);
  return *kernel_;
}

const std::vector<double>& LayerSpectra::Spectrum(int64_t inner) {
  const auto found = spectra_.find(inner);
  if (found != spectra_.end()) return found->second;
  const Matrix& kernel = Kernel();
  std::vector<double> spectrum =
      SpectrumOf(inner == 1 ? kernel : Unfolded(kernel, static_cast<size_t>(inner)));
  return spectra_.emplace(inner, std::move(spectrum)).first->second;
}

double LayerSpectra::LossOfRank(int64_t inner, int64_t rank) {
  const std::vector<double>& energies = Spectrum(inner);
  const double whole = std::accumulate(energies.begin(), energies.end(), 0.0);
  const auto first_lost = energies.begin() + std::min(rank, static_cast<int64_t>(energies.size()));
  return whole > 0 ? std::accumulate(first_lost, energies.end(), 0.0) / whole : 0;
}

double LayerSpectra::LeastLossOfRanks(int64_t of_inputs, int64_t of_outputs) {
  return std::max(LossOfRank(layer_.taps(), of_inputs), LossOfRank(1, of_outputs));
}

}  // namespace fettle
