#include "fettle/tuner/cli/dry_run.h"

#include <nlohmann/json.hpp>
#include <span>

#include "fettle/core/dtype.h"
#include "fettle/core/joined_text.h"
#include "fettle/tuner/fixed_text.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

struct LayerCounts {
  int64_t all = 0, missing = 0;
};

LayerCounts CountLayers(const CandidateCosts& costs, const CostStore& store) {
  LayerCounts counts;
  for (const auto& list : {costs.ReordersToMeasure(), costs.LayersToMeasure()}) {
    for (const LayerSpec& spec : list) {
      ++counts.all;
      counts.missing += store.IsComplete(spec) ? 0 : 1;
    }
  }
  return counts;
}

Json OptionsJson(const TuningDecision& decision) {
  switch (decision.kind) {
    case TuningDecision::Kind::kWidth:
      return decision.kept;
    case TuningDecision::Kind::kVariant:
      return std::vector<std::string>(decision.variants.begin() + 1, decision.variants.end());
    case TuningDecision::Kind::kPrecision:
      break;
  }
  Json names = Json::array();
  for (const DType dtype : decision.precisions) names.push_back(NameOf(dtype));
  return names;
}

const char* KindOf(const TuningDecision& decision) {
  switch (decision.kind) {
    case TuningDecision::Kind::kWidth:
      return "width";
    case TuningDecision::Kind::kVariant:
      return "structure";
    case TuningDecision::Kind::kPrecision:
      break;
  }
  return "precision";
}

Json DryRunJson(const TuningSpace& space, const LayerCounts& layers) {
  Json decisions = Json::array();
  for (const TuningDecision& decision : space.decisions()) {
    decisions.push_back({{"kind", KindOf(decision)},
                         {"layer", decision.layer},
                         {"options", OptionsJson(decision)}});
  }
  return {{"log10_candidates", space.space().Log10NumCandidates()},
          {"decisions", std::move(decisions)},
          {"layers_of_single_changes", layers.all},
          {"layers_to_be_measured", layers.missing}};
}

}  // namespace

void PrintDryRun(const TuningSpace& space, const CandidateCosts& costs, const CostStore& store,
                 bool as_json, Console& console) {
  const LayerCounts layers = CountLayers(costs, store);
  if (as_json) {
    console.out() << DryRunJson(space, layers).dump(1) << '\n';
    return;
  }
  console.out() << "decisions: " << space.decisions().size() << ", candidates: 10^"
                << FixedText(space.space().Log10NumCandidates(), 1) << '\n';
  for (const Decision& decision : space.space().decisions()) {
    console.out() << "  " << decision.name << ": " << decision.num_options << " options";
    const TuningDecision& meaning = space.decisions()[decision.id];
    if (meaning.kind == TuningDecision::Kind::kVariant) {
      console.out() << " (" << JoinedText(std::span(meaning.variants).subspan(1)) << ")";
    }
    console.out() << '\n';
  }
  console.out() << "layers of single changes: " << layers.all
                << ", to be measured: " << layers.missing
                << " (and those that promising candidates need)\n";
}

}  // namespace fettle
