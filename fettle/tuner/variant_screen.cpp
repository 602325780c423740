#include "fettle/tuner/variant_screen.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <optional>
#include <string_view>
#include <thread>
#include <utility>

#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/drop.h"
#include "fettle/network/variants/variant_list.h"
#include "fettle/tuner/gain_screen.h"
#include "fettle/tuner/option_errors.h"

namespace fettle {
namespace {

constexpr double kGreatestError = 0.9;    // what is left of a layer then is worth nothing
constexpr double kErrorOfNothing = 0.02;  // added to an error, so that tiny ones compare by gain

struct ScreenedOption {
  std::string layer, variant;
  double gain = 0;   // ms
  double error = 0;  // relative, of the weights
};

// Those that none is both faster and nearer than, gentlest first; then at most so many of them,
// both ends among them.
std::vector<ScreenedOption> Undominated(std::vector<ScreenedOption> options, size_t most) {
  std::ranges::stable_sort(options, [](const ScreenedOption& a, const ScreenedOption& b) {
    return std::pair(a.error, -a.gain) < std::pair(b.error, -b.gain);
  });
  std::vector<ScreenedOption> front;
  for (ScreenedOption& option : options) {
    if (front.empty() || option.gain > front.back().gain) front.push_back(std::move(option));
  }
  if (front.size() <= most) return front;
  std::vector<ScreenedOption> spread;
  for (size_t i = 0; i < most; ++i) {
    spread.push_back(front[most == 1 ? 0 : i * (front.size() - 1) / (most - 1)]);
  }
  return spread;
}

// Drops the options whose errors are not known yet but certainly too great: beyond what is of use,
// or no less than that of another option of the layer that is known and no slower.
void DropHopeless(std::vector<NetworkDecision>* decisions,
                  std::vector<std::vector<double>>* gains) {
  std::map<std::string, std::vector<std::pair<double, double>>> known;  // errors and gains
  for (size_t d = 0; d < decisions->size(); ++d) {
    const NetworkDecision& decision = (*decisions)[d];
    for (size_t i = 0; i < decision.options.size(); ++i) {
      const std::optional<double>& error = decision.options[i].error;
      if (error) known[decision.layer].emplace_back(*error, (*gains)[d][i]);
    }
  }
  for (size_t d = 0; d < decisions->size(); ++d) {
    NetworkDecision& decision = (*decisions)[d];
    std::vector<NetworkOption> options;
    std::vector<double> of_options;
    for (size_t i = 0; i < decision.options.size(); ++i) {
      NetworkOption& option = decision.options[i];
      const double gain = (*gains)[d][i];
      const bool is_beaten = std::ranges::any_of(known[decision.layer], [&](const auto& other) {
        return other.first <= option.least_error && other.second >= gain;
      });
      if (!option.error && (option.least_error > kGreatestError || is_beaten)) continue;
      options.push_back(std::move(option));
      of_options.push_back(gain);
    }
    decision.options = std::move(options);
    (*gains)[d] = std::move(of_options);
  }
}

// Those that have options, of kinds of these names.
std::vector<NetworkDecision> DecisionsOf(const Graph& graph, const std::vector<std::string>& names,
                                         const DecisionOptions& options) {
  std::vector<VariantKind> kinds;
  std::ranges::copy_if(AllVariantKinds(), std::back_inserter(kinds), [&](const VariantKind& kind) {
    return std::ranges::find(names, kind.name) != names.end();
  });
  std::vector<NetworkDecision> decisions = FindDecisions(kinds, graph, options);
  std::erase_if(decisions, [](const NetworkDecision& d) { return d.options.empty(); });
  return decisions;
}

}  // namespace

std::vector<VariantOffer> ScreenVariants(const Graph& graph, const Target& target,
                                         const VariantScreenOptions& options) {
  // All there are: what comes out does not depend on how many.
  const int threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  const auto progress = [&](std::string_view what, size_t done, size_t all) {
    if (options.progress) options.progress(what, done, all);
  };
  std::vector<NetworkDecision> decisions =
      DecisionsOf(graph, options.kinds,
                  {.channel_step = options.channel_step,
                   .threads = threads,
                   .progress = [&](size_t done, size_t of) { progress("layers", done, of); }});
  // Of a block that is dropped nothing needs to be rewritten any more: so these come first.
  std::stable_partition(decisions.begin(), decisions.end(), [](const NetworkDecision& decision) {
    return decision.kind == kDropKind.name;
  });
  const GainScreen screen(graph, target);
  std::vector<std::vector<double>> gains;
  size_t all = 0;
  for (NetworkDecision& decision : decisions) {
    gains.push_back(screen.Apply(&decision));
    progress("decisions", gains.size(), decisions.size());
  }
  DropHopeless(&decisions, &gains);
  for (const NetworkDecision& decision : decisions) all += decision.options.size();
  FillErrors(
      graph, threads, [&](size_t done) { progress("options", done, all); }, &decisions);
  std::vector<std::string> layers;  // in the order of decisions
  std::map<std::string, std::vector<ScreenedOption>> of_layer;
  for (size_t d = 0; d < decisions.size(); ++d) {
    const std::string& layer = decisions[d].layer;
    if (std::ranges::find(layers, layer) == layers.end()) layers.push_back(layer);
    for (size_t i = 0; i < decisions[d].options.size(); ++i) {
      const NetworkOption& option = decisions[d].options[i];
      const double error = option.error.value_or(1);
      if (error > kGreatestError && decisions[d].kind != kDropKind.name) continue;
      of_layer[layer].push_back({layer, option.variant, gains[d][i], error});
    }
  }
  std::vector<ScreenedOption> kept;
  for (const std::string& layer : layers) {
    of_layer[layer] = Undominated(std::move(of_layer[layer]), options.most_a_layer);
    kept.insert(kept.end(), of_layer[layer].begin(), of_layer[layer].end());
  }
  const auto worth = [](const ScreenedOption& option) {
    return -option.gain / (option.error + kErrorOfNothing);
  };
  std::ranges::stable_sort(kept, {}, worth);
  if (kept.size() > options.most_in_all) kept.resize(options.most_in_all);
  std::vector<VariantOffer> offers;
  for (const std::string& layer : layers) {
    VariantOffer offer{layer, {}};
    for (const ScreenedOption& option : of_layer[layer]) {
      const bool is_kept = std::ranges::any_of(kept, [&](const ScreenedOption& other) {
        return other.layer == option.layer && other.variant == option.variant;
      });
      if (is_kept) offer.variants.push_back(option.variant);
    }
    if (!offer.variants.empty()) offers.push_back(std::move(offer));
  }
  return offers;
}

}  // namespace fettle
