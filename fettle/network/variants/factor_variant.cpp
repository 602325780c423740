#include "fettle/network/variants/factor_variant.h"

#include <algorithm>
#include <numeric>

#include "fettle/core/error.h"
#include "fettle/network/macs.h"
#include "fettle/network/variants/fresh_factors.h"

namespace fettle {
namespace {}  // namespace

std::vector<Factor> FittedFactors(const FactorVariant& variant, const WeightedLayer& layer,
                                  const Matrix& kernel, const Moments* input) {
  std::vector<Factor> factors = variant.Factorise(layer, kernel, input);
  if (input != nullptr) RefitLast(kernel, *input, &factors);
  return factors;
}

WeightedLayer FactorVariant::Find(const Graph& graph, std::string_view name) const {
  WeightedLayer layer = FindWeightedLayer(graph, name);
  const std::string reason = WhyNot(layer);
  if (!reason.empty()) throw BadInput("layer '", name, "' cannot take ", Text(), ": ", reason);
  return layer;
}

std::optional<double> FactorVariant::WeightError(const Graph& graph, std::string_view name) const {
  LayerSpectra spectra(graph, Find(graph, name));
  if (const std::optional<double> known = ErrorFrom(spectra)) return known;
  const Matrix& kernel = spectra.Kernel();
  const std::vector<Factor> factors = Factorise(spectra.layer(), kernel, nullptr);
  return RelativeError(kernel, ComposedKernel(factors), nullptr);
}

Graph WithFittedFactors(const Graph& graph, const WeightedLayer& layer, const Matrix& kernel,
                        std::span<const Factor> factors, const Moments* input) {
  std::vector<double> bias = BiasOf(graph, layer);
  if (input != nullptr) {
    const std::vector<double> missed = MissedMeans(kernel, ComposedKernel(factors), *input);
    for (size_t t = 0; t < bias.size(); ++t) bias[t] += missed[t];
  }
  return WithFactors(graph, layer, factors, bias);
}

Graph FactorVariant::Rewrite(const Graph& graph, std::string_view name,
                             const RewriteOptions& options) const {
  const WeightedLayer layer = Find(graph, name);
  const auto rewritten = [&] {
    if (options.fresh_seed) {
      return WithFreshFactors(graph, layer, Shapes(layer), *options.fresh_seed);
    }
    if (options.shapes_only) return WithFactorShapes(graph, layer, Shapes(layer));
    const Matrix kernel = KernelOf(graph, layer);
    const Moments* const input = InputMoments(graph, layer, options.calibration);
    return WithFittedFactors(graph, layer, kernel, FittedFactors(*this, layer, kernel, input),
                             input);
  };
  Graph result = rewritten();
  if (options.carried != nullptr) options.carried->patches.erase(layer.name);
  return result;
}

std::string WhyNotSpatial(const WeightedLayer& layer) {
  if (!layer.is_conv) return "it is no convolution: svd is for products";
  if (layer.groups != 1) return "it is in groups";
  if (layer.taps() == 1) return "its kernel is 1x1: svd is for that";
  return "";
}

std::vector<std::unique_ptr<FactorVariant>> Applicable(
    std::vector<std::unique_ptr<FactorVariant>> variants, const WeightedLayer& layer,
    int64_t most) {
  const auto can_take = [&](const auto& variant) { return variant->WhyNot(layer).empty(); };
  const auto first = std::ranges::find_if(variants, can_take);
  if (first == variants.end()) {
    variants.resize(1);
    return variants;
  }
  std::erase_if(variants, [&](const auto& variant) { return !can_take(variant); });
  if (static_cast<int64_t>(variants.size()) > most) variants.resize(static_cast<size_t>(most));
  return variants;
}

NetworkDecision FindFactorDecision(const Graph& graph, LayerSpectra& spectra,
                                   const DecisionOptions& options, FactorOffer offer) {
  const WeightedLayer& layer = spectra.layer();
  const int64_t all_parameters = graph.NumParameters(), all_macs = MacsOf(graph);
  NetworkDecision decision;
  decision.layer = layer.name;
  decision.layers = {layer.name};
  const Node& node = graph.nodes()[static_cast<size_t>(layer.node)];
  const int64_t parameters = layer.outputs * layer.patch();
  // What is shared stays for the others.
  int64_t all_others = all_parameters - (SharesConstant(graph, layer, 1) ? 0 : parameters);
  if (node.inputs.size() > 2 && SharesConstant(graph, layer, 2)) all_others += layer.outputs;
  const int64_t macs = MacsOf(graph, node);
  for (const auto& variant : offer(spectra, options)) {
    const std::string why_not = variant->WhyNot(layer);
    if (!why_not.empty()) {
      decision.reason = why_not;
      continue;
    }
    const std::vector<FactorShape> shapes = variant->Shapes(layer);
    const int64_t parameters_after = ParametersOf(shapes), macs_after = MacsOf(layer, shapes);
    if (parameters_after >= parameters && macs_after >= macs) continue;
    NetworkOption& option = decision.options.emplace_back();
    option.variant = variant->Text();
    option.parameters = all_others + parameters_after;
    option.macs = all_macs - macs + macs_after;
    option.error = variant->ErrorFrom(spectra);
    option.least_error = option.error ? *option.error : variant->LeastErrorFrom(spectra);
  }
  if (!decision.options.empty()) {
    decision.reason.clear();
  } else if (decision.reason.empty()) {
    decision.reason = "nothing that is offered would have fewer multiplications or parameters";
  }
  return decision;
}

int64_t RankKeeping(double share, const std::vector<double>& energies,
                    const DecisionOptions& options) {
  const double whole = std::accumulate(energies.begin(), energies.end(), 0.0);
  double kept = 0;
  int64_t rank = 0;
  while (rank < static_cast<int64_t>(energies.size()) && kept < share * whole) {
    kept += energies[static_cast<size_t>(rank++)];
  }
  const int64_t step = options.channel_step;
  return (std::max<int64_t>(1, rank) + step - 1) / step * step;
}

std::vector<int64_t> RanksToOffer(const std::vector<double>& energies, int64_t limit,
                                  const DecisionOptions& options) {
  std::vector<int64_t> ranks;
  for (const double share : kSharesToKeep) {
    const int64_t rank = RankKeeping(share, energies, options);
    if (rank < limit && std::ranges::find(ranks, rank) == ranks.end()) ranks.push_back(rank);
  }
  if (static_cast<int64_t>(ranks.size()) > options.most_options) {
    ranks.erase(ranks.begin(), ranks.end() - options.most_options);
  }
  return ranks;
}

}  // namespace fettle
