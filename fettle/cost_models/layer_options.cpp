#include "fettle/cost_models/layer_options.h"

#include "fettle/core/mixed_hash.h"
#include "fettle/runtime/precision.h"

namespace fettle {
namespace {

// An option that is not on a list yet.
struct Candidate {
  LayerOption option;
  std::vector<TensorForm> inputs;
  TensorForm output;

  bool HasFormsOf(const Candidate& other) const {
    return output == other.output && inputs == other.inputs;
  }
};

std::vector<Candidate> AllOf(const LayerSpec& layer, const std::vector<DType>& precisions,
                             ImplementationCatalog* catalog, const LayerCosts& costs) {
  std::vector<Candidate> all;
  for (const DType precision : precisions) {
    const LayerSpec spec = AtPrecision(layer, precision);
    for (const Implementation& implementation : catalog->Of(spec)) {
      const std::optional<Estimate> estimate = costs.Cost(spec, implementation);
      if (!estimate) continue;
      Candidate& added = all.emplace_back();
      added.option = {{precision, implementation},
                      *estimate,
                      costs.WorkspaceBytes(spec, implementation).value_or(0)};
      for (size_t i = 0; i < spec.inputs.size(); ++i) {
        added.inputs.push_back({spec.inputs[i].dtype, implementation.inputs[i]});
      }
      added.output = {spec.output.dtype, implementation.output};
    }
  }
  return all;
}

// How many of the same forms are to be preferred to all[index].
int NumBetter(const std::vector<Candidate>& all, size_t index) {
  const double ms = all[index].option.estimate.ms;
  int better = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    const double other = all[i].option.estimate.ms;
    const bool is_better = other < ms || (other == ms && i < index);
    if (is_better && all[i].HasFormsOf(all[index])) ++better;
  }
  return better;
}

}  // namespace

OptionList LayerOptions::Make(const LayerSpec& spec, const std::vector<DType>& precisions) const {
  std::vector<Candidate> all = AllOf(spec, precisions, catalog_, costs_);
  OptionList list;
  list.inputs.resize(spec.inputs.size());
  for (size_t index = 0; index < all.size(); ++index) {
    if (NumBetter(all, index) >= best_of_forms_) continue;
    const Candidate& kept = all[index];
    list.options.push_back(kept.option);
    list.ms.push_back(kept.option.estimate.ms);
    for (size_t i = 0; i < kept.inputs.size(); ++i) list.inputs[i].push_back(kept.inputs[i]);
    list.outputs.push_back(kept.output);
  }
  return list;
}

const OptionList& LayerOptions::Of(const LayerSpec& spec, const std::vector<DType>& precisions) {
  uint64_t hash = HashOf(spec);
  for (const DType dtype : precisions) hash = MixedHash(hash, static_cast<uint64_t>(dtype));
  std::vector<std::unique_ptr<Entry>>& entries = known_[hash];
  for (const auto& entry : entries) {
    if (entry->precisions == precisions && entry->spec == spec) return entry->list;
  }
  entries.push_back(std::make_unique<Entry>(Entry{spec, precisions, Make(spec, precisions)}));
  return entries.back()->list;
}

}  // namespace fettle
