#include "fettle/cost_models/network_costs.h"

#include <algorithm>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/core/statistics.h"
#include "fettle/cost_models/way_text.h"

namespace fettle {
namespace {

// So many observations weigh as much as what they are drawn towards.
constexpr double kPriorWeight = 3;

// One disturbed run must not rule an implementation out.
constexpr double kMostRatio = 4;

std::string TextOf(const LayerSpec& spec, const Implementation& implementation) {
  return WayText(KeyOf(spec).text, implementation.name, implementation.version,
                 implementation.inputs, implementation.output);
}

double DrawnTowards(double prior, const std::vector<double>& ratios) {
  if (ratios.empty()) return prior;
  const auto count = static_cast<double>(ratios.size());
  return std::exp((count * std::log(Median(ratios)) + kPriorWeight * std::log(prior)) /
                  (count + kPriorWeight));
}

}  // namespace

void NetworkCosts::Learn(const LayerSpec& spec, const Implementation& implementation,
                         double in_network_ms) {
  const std::optional<Estimate> isolated = isolated_.Cost(spec, implementation);
  if (!isolated || isolated->ms <= 0 || in_network_ms <= 0) return;
  const double ratio = std::clamp(in_network_ms / isolated->ms, 1 / kMostRatio, kMostRatio);
  seen_ms_[TextOf(spec, implementation)].push_back(in_network_ms);
  // What is predicted is wrong in other ways than by what a network does to a kernel.
  if (isolated->origin != EstimateOrigin::kMeasured) return;
  ratios_[implementation.name].push_back(ratio);
  all_ratios_.push_back(ratio);
  factors_.clear();
}

double NetworkCosts::FactorOf(const std::string& implementation_name) const {
  const auto [known, is_new] = factors_.try_emplace(implementation_name, 1);
  if (is_new) {
    const auto found = ratios_.find(implementation_name);
    known->second = DrawnTowards(1, all_ratios_);
    if (found != ratios_.end()) known->second = DrawnTowards(known->second, found->second);
  }
  return known->second;
}

std::optional<Estimate> NetworkCosts::Cost(const LayerSpec& spec,
                                           const Implementation& implementation) const {
  std::optional<Estimate> estimate = isolated_.Cost(spec, implementation);
  if (!estimate) return estimate;
  const auto seen = seen_ms_.find(TextOf(spec, implementation));
  const double factor =
      seen == seen_ms_.end() ? FactorOf(implementation.name) : Median(seen->second) / estimate->ms;
  estimate->ms *= factor;
  estimate->low *= factor;
  estimate->high *= factor;
  return estimate;
}

}  // namespace fettle
