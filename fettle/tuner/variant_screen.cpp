#include "fettle/tuner/variant_screen.h"

#include <algorithm>
#include <map>
#include <utility>

#include "fettle/cost_models/reckoned_cost.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/drop.h"
#include "fettle/network/variants/variant_list.h"
#include "fettle/tuner/option_errors.h"

namespace fettle {
namespace {

constexpr double kLeastGain = 0.1;        // of the layer's time
constexpr double kGreatestError = 0.9;    // what is left of a layer then is worth nothing
constexpr double kErrorOfNothing = 0.02;  // added to an error, so that tiny ones compare by gain

struct ScreenedOption {
  std::string layer, variant;
  double gain = 0;   // ms
  double error = 0;  // relative, of the weights
};

// By how much faster each option alone should make the network, in ms; options that should not gain
// enough are dropped.
class GainScreen {
 public:
  GainScreen(const Graph& graph, const Target& target) : graph_(graph), target_(target) {
    const LayerGraph layers = Lower(graph);
    whole_ = ReckonedMs(layers, target);
    for (const Layer& layer : layers.layers) of_layer_[layer.name] = ReckonedMs(layer.spec, target);
  }

  std::vector<double> Apply(NetworkDecision* decision) const {
    const auto layer = of_layer_.find(decision->layer);
    const double least = layer == of_layer_.end() ? 0 : kLeastGain * layer->second;
    std::vector<double> gains;
    std::erase_if(decision->options, [&](const NetworkOption& option) {
      RewriteOptions shapes;
      shapes.shapes_only = true;
      const Graph graph = ParseVariant(option.variant)->Rewrite(graph_, decision->layer, shapes);
      const double gain = whole_ - ReckonedMs(Lower(graph, {.shapes_only = true}), target_);
      if (gain > least) gains.push_back(gain);
      return gain <= least;
    });
    return gains;
  }

 private:
  const Graph& graph_;
  Target target_;
  double whole_ = 0;
  std::map<std::string, double> of_layer_;
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

}  // namespace

std::vector<VariantOffer> ScreenVariants(const Graph& graph, const Target& target,
                                         const VariantScreenOptions& options) {
  std::vector<NetworkDecision> decisions =
      FindDecisions(graph, {.channel_step = options.channel_step});
  std::erase_if(decisions, [&](const NetworkDecision& decision) {
    return std::ranges::find(options.kinds, decision.kind) == options.kinds.end() ||
           decision.options.empty();
  });
  // Of a block that is dropped nothing needs to be rewritten any more: so these come first.
  std::ranges::stable_partition(
      decisions, [](const NetworkDecision& decision) { return decision.kind == kDropKind.name; });
  const GainScreen screen(graph, target);
  std::vector<std::vector<double>> gains;
  size_t all = 0;
  for (NetworkDecision& decision : decisions) {
    gains.push_back(screen.Apply(&decision));
    all += decision.options.size();
  }
  FillErrors(
      graph, std::max(1, target.threads),
      [&](size_t done) {
        if (options.progress) options.progress(done, all);
      },
      &decisions);
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
    for (ScreenedOption& option : Undominated(of_layer[layer], options.most_a_layer)) {
      kept.push_back(std::move(option));
    }
  }
  const auto worth = [](const ScreenedOption& option) {
    return -option.gain / (option.error + kErrorOfNothing);
  };
  std::ranges::stable_sort(kept, {}, worth);
  if (kept.size() > options.most_in_all) kept.resize(options.most_in_all);
  std::vector<VariantOffer> offers;
  for (const std::string& layer : layers) {
    VariantOffer offer{layer, {}};
    for (const ScreenedOption& option : Undominated(of_layer[layer], options.most_a_layer)) {
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
