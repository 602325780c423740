#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/network/variants/weighted_layer.h"

namespace fettle {

// A layer's kernel and the spectra of its unfoldings, each computed when it is first asked for and
// then kept: several kinds of variants ask for the same ones. Not for two threads at once.
class LayerSpectra {
 public:
  // The graph must outlive it.
  LayerSpectra(const Graph& graph, WeightedLayer layer);

  const WeightedLayer& layer() const { return layer_; }
  const Matrix& Kernel();

  // SpectrumOf(Unfolded(kernel, inner)); with an inner extent of 1 that of the kernel itself.
  const std::vector<double>& Spectrum(int64_t inner);

  // The share of the kernel's squared norm that the best unfolding of that rank loses.
  double LossOfRank(int64_t inner, int64_t rank);

  // Likewise of the best kernel of at most so many independent inputs and outputs: no less.
  double LeastLossOfRanks(int64_t of_inputs, int64_t of_outputs);

 private:
  const Graph& graph_;
  WeightedLayer layer_;
  std::optional<Matrix> kernel_;
  std::map<int64_t, std::vector<double>> spectra_;  // by inner extent
};

}  // namespace fettle
