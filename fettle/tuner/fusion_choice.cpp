#include "fettle/tuner/fusion_choice.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

#include "fettle/cost_models/primitive_selection.h"
#include "fettle/deploy/fuse_inverted_residual.h"
#include "fettle/runtime/precision.h"

namespace fettle {
namespace {

constexpr int kMostRounds = 4;
constexpr double kLeastGain = 1e-6;  // of the whole: less is rounding

bool IsReference(const Implementation& implementation, const PrimitiveList& primitives) {
  return implementation.name == primitives.reference().Name();
}

// What all parts of the block may have.
std::vector<DType> PrecisionsOf(const FusibleBlock& block,
                                const std::vector<std::vector<DType>>& precisions) {
  std::vector<DType> common = precisions[block.projection];
  std::erase_if(common, [&](DType dtype) {
    const auto lacks = [&](size_t layer) {
      return std::ranges::find(precisions[layer], dtype) == precisions[layer].end();
    };
    return lacks(block.filters) || (block.expansion && lacks(*block.expansion));
  });
  return common;
}

class Fusion {
 public:
  Fusion(LayerGraph graph, std::vector<std::vector<DType>> precisions,
         ImplementationCatalog* catalog, const LayerCosts& costs)
      : graph_(std::move(graph)),
        precisions_(std::move(precisions)),
        options_(catalog, costs),
        reorders_(catalog, costs) {
    for (const FusibleBlock& block : FusibleBlocks(graph_)) {
      if (IsMeasured(block, catalog->primitives())) sites_[block.filters].push_back(block);
    }
  }

  FusedNetwork Choose() {
    FusedNetwork best = With(chosen_);
    best.predicted_ms = Solve(best);
    bool changes = !sites_.empty();
    for (int round = 0; changes && round < kMostRounds; ++round) {
      changes = false;
      for (const auto& [site, blocks] : sites_) changes = Settle(site, blocks, &best) || changes;
    }
    return best;
  }

 private:
  using Chosen = std::map<size_t, FusibleBlock>;  // by the layer that filters

  bool IsMeasured(const FusibleBlock& block, const PrimitiveList& primitives) {
    const std::vector<DType> common = PrecisionsOf(block, precisions_);
    if (common.empty()) return false;
    const auto& options = options_.Of(CompositeOf(graph_, block).spec, common).options;
    const auto is_measured = [&](const LayerOption& option) {
      return option.estimate.origin == EstimateOrigin::kMeasured &&
             !IsReference(option.choice.implementation, primitives);
    };
    return !options.empty() && std::ranges::all_of(options, is_measured);
  }

  FusedNetwork With(const Chosen& chosen) const {
    FusedNetwork network;
    network.precisions = precisions_;
    std::vector<FusibleBlock> blocks;
    std::vector<bool> is_gone(graph_.layers.size());
    for (const auto& [site, block] : chosen) {
      blocks.push_back(block);
      network.precisions[block.projection] = PrecisionsOf(block, precisions_);
      is_gone[site] = true;
      if (block.expansion) is_gone[*block.expansion] = true;
    }
    size_t layer = 0;
    std::erase_if(network.precisions, [&](const auto&) { return is_gone[layer++]; });
    network.blocks = static_cast<int>(blocks.size());
    network.graph = FuseBlocks(graph_, blocks);
    return network;
  }

  double Solve(const FusedNetwork& network) {
    return PrimitiveSelector(network.graph, network.precisions, &options_, reorders_)
        .Select()
        .predicted_ms;
  }

  // The best form of what is at the site, all else as it is. Whether that is another than before.
  bool Settle(size_t site, const std::vector<FusibleBlock>& blocks, FusedNetwork* best) {
    Chosen others = chosen_;
    others.erase(site);
    std::vector<Chosen> alternatives;
    if (chosen_.contains(site)) alternatives.push_back(others);
    for (const FusibleBlock& block : blocks) {
      const auto is_apart = [&](const auto& other) { return AreApart(block, other.second); };
      if (!std::ranges::all_of(others, is_apart)) continue;
      if (chosen_.contains(site) && chosen_.at(site) == block) continue;
      alternatives.push_back(others);
      alternatives.back().emplace(site, block);
    }
    bool changes = false;
    for (Chosen& alternative : alternatives) {
      FusedNetwork network = With(alternative);
      network.predicted_ms = Solve(network);
      if (network.predicted_ms >= best->predicted_ms * (1 - kLeastGain)) continue;
      *best = std::move(network);
      chosen_ = std::move(alternative);
      changes = true;
    }
    return changes;
  }

  LayerGraph graph_;
  std::vector<std::vector<DType>> precisions_;
  LayerOptions options_;
  ReorderCosts reorders_;
  std::map<size_t, std::vector<FusibleBlock>> sites_;
  Chosen chosen_;
};

}  // namespace

std::vector<LayerSpec> CompositesOf(const LayerGraph& graph, const std::vector<DType>& precisions,
                                    ImplementationCatalog* catalog) {
  std::vector<LayerSpec> composites;
  std::set<LayerKey> seen;
  for (const FusibleBlock& block : FusibleBlocks(graph)) {
    const LayerSpec composite = CompositeOf(graph, block).spec;
    for (const DType dtype : precisions) {
      if (!CanHavePrecision(composite, dtype)) continue;
      LayerSpec spec = AtPrecision(composite, dtype);
      const auto is_unwanted = [&](const Implementation& each) {
        return IsReference(each, catalog->primitives()) || !each.name.starts_with(catalog->only());
      };
      if (std::ranges::all_of(catalog->Of(spec), is_unwanted)) continue;
      if (seen.insert(KeyOf(spec)).second) composites.push_back(std::move(spec));
    }
  }
  return composites;
}

FusedNetwork FuseWhereItPays(LayerGraph graph, std::vector<std::vector<DType>> precisions,
                             ImplementationCatalog* catalog, const LayerCosts& costs) {
  return Fusion(std::move(graph), std::move(precisions), catalog, costs).Choose();
}

std::vector<std::string> LayersOfStep(const LayerGraph& graph, const PlanStep& step) {
  const auto* composite = std::get_if<InvertedResidual>(&step.spec.op);
  if (composite == nullptr) return {step.layer};
  for (const FusibleBlock& block : FusibleBlocks(graph)) {
    const auto name = [&](size_t layer) { return graph.layers[layer].name; };
    if (name(block.projection) != step.layer) continue;
    if (block.expansion.has_value() != composite->expands) continue;
    std::vector<std::string> names = {name(block.filters), name(block.projection)};
    if (block.expansion) names.insert(names.begin(), name(*block.expansion));
    return names;
  }
  return {step.layer};
}

}  // namespace fettle
