#include "fettle/network/variants/decisions.h"

#include <atomic>
#include <iterator>
#include <mutex>

#include "fettle/core/shard_threads.h"
#include "fettle/network/variants/factor_variant.h"
#include "fettle/network/variants/variant_list.h"

namespace fettle {
namespace {

constexpr int64_t kF32Bytes = 4;

using DecisionsOfKinds = std::vector<std::vector<NetworkDecision>>;  // kind by kind

// Layer by layer, for all kinds that are found so: what they need to know of it is computed once.
void FindInLayers(std::span<const VariantKind> kinds, const Graph& graph,
                  const DecisionOptions& options, DecisionsOfKinds* found) {
  const std::vector<WeightedLayer> layers = WeightedLayers(graph);
  for (size_t k = 0; k < kinds.size(); ++k) {
    if (kinds[k].offer != nullptr) (*found)[k].resize(layers.size());
  }
  std::mutex mutex;
  size_t done = 0;
  std::atomic<bool> has_failed{false};
  ForEachShard(static_cast<int64_t>(layers.size()), options.threads, [&](int64_t i) {
    if (has_failed) return;
    try {
      const auto place = static_cast<size_t>(i);
      LayerSpectra spectra(graph, layers[place]);
      for (size_t k = 0; k < kinds.size(); ++k) {
        if (kinds[k].offer == nullptr) continue;
        (*found)[k][place] = FindFactorDecision(graph, spectra, options, kinds[k].offer);
      }
      const std::scoped_lock lock(mutex);
      ++done;
      if (options.progress) options.progress(done, layers.size());
    } catch (...) {
      has_failed = true;
      throw;
    }
  });
}

}  // namespace

std::vector<NetworkDecision> FindDecisions(const Graph& graph, const DecisionOptions& options) {
  return FindDecisions(AllVariantKinds(), graph, options);
}

std::vector<NetworkDecision> FindDecisions(std::span<const VariantKind> kinds, const Graph& graph,
                                           const DecisionOptions& options) {
  DecisionsOfKinds found(kinds.size());
  FindInLayers(kinds, graph, options, &found);
  std::vector<NetworkDecision> decisions;
  for (size_t k = 0; k < kinds.size(); ++k) {
    if (kinds[k].find != nullptr) found[k] = kinds[k].find(graph, options);
    for (NetworkDecision& decision : found[k]) {
      decision.kind = kinds[k].name;
      for (NetworkOption& option : decision.options) {
        if (option.weight_bytes == 0) option.weight_bytes = kF32Bytes * option.parameters;
      }
    }
    std::move(found[k].begin(), found[k].end(), std::back_inserter(decisions));
  }
  return decisions;
}

int64_t WeightBytes(const Graph& graph) { return kF32Bytes * graph.NumParameters(); }

}  // namespace fettle
