#include "fettle/runtime/default_choices.h"

#include <algorithm>
#include <map>

#include "fettle/core/error.h"
#include "fettle/runtime/precision.h"

namespace fettle {

std::vector<Implementation> ImplementationsOf(const LayerSpec& spec,
                                              const PrimitiveList& primitives, const Target& target,
                                              std::string_view only) {
  std::vector<Implementation> all;
  const auto collect = [&](const Primitive& primitive) {
    if (!primitive.Supports(spec, target)) return;
    for (Implementation& option : primitive.Implementations(spec, target)) {
      if (option.name.starts_with(only)) all.push_back(std::move(option));
    }
  };
  for (const auto& primitive : primitives.primitives()) {
    if (primitive.get() != &primitives.reference()) collect(*primitive);
  }
  if (all.empty()) collect(primitives.reference());
  return all;
}

namespace {

// What a library picks when it may choose the layout as well: the first implementation whose output
// has the blocks that fill the target's vectors.
const Implementation& Favourite(const std::vector<Implementation>& options, const Target& target) {
  Layout blocks = Layout::kPlain;
  if (target.has_avx2) blocks = Layout::kBlocked8;
  if (target.has_avx512) blocks = Layout::kBlocked16;
  const auto found = std::ranges::find(options, blocks, &Implementation::output);
  return found == options.end() ? options.front() : *found;
}

}  // namespace

std::vector<LayerChoice> DefaultChoices(const LayerGraph& graph, DType precision,
                                        const PrimitiveList& primitives, const Target& target) {
  std::vector<Layout> layouts(graph.tensors.size(), Layout::kPlain);
  std::map<LayerKey, std::vector<Implementation>> known;  // networks repeat their layers
  std::vector<LayerChoice> choices;
  for (const Layer& layer : graph.layers) {
    LayerChoice choice;
    choice.precision = CanHavePrecision(layer.spec, precision) ? precision : DType::kF32;
    const LayerSpec spec = AtPrecision(layer.spec, choice.precision);
    auto [entry, is_new] = known.try_emplace(KeyOf(spec));
    if (is_new) entry->second = ImplementationsOf(spec, primitives, target);
    const std::vector<Implementation>& options = entry->second;
    if (options.empty()) {
      throw BadInput("layer '", layer.name, "': no primitive computes ", entry->first.text);
    }
    const auto fits = [&](const Implementation& option) {
      for (size_t i = 0; i < option.inputs.size(); ++i) {
        if (option.inputs[i] != layouts[static_cast<size_t>(layer.inputs[i])]) return false;
      }
      return true;
    };
    const auto fitting = std::ranges::find_if(options, fits);
    const bool is_heavy = MacsOf(spec) > 0;  // worth a reorder for what the library prefers
    choice.implementation =
        fitting != options.end() && !is_heavy ? *fitting : Favourite(options, target);
    layouts[static_cast<size_t>(layer.output)] = choice.implementation.output;
    choices.push_back(std::move(choice));
  }
  return choices;
}

Plan DefaultPlan(const LayerGraph& graph, DType precision, const PrimitiveList& primitives,
                 const Target& target) {
  return BuildPlan(graph, DefaultChoices(graph, precision, primitives, target),
                   FirstReorder(primitives, target), target.threads);
}

}  // namespace fettle
