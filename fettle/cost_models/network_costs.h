#pragma once

#include <map>
#include <string>
#include <vector>

#include "fettle/cost_models/layer_costs.h"

namespace fettle {

// What layers cost inside networks: isolated costs, corrected by what was seen there. A kernel that
// is timed alone finds its inputs, filters and scratch memory in the caches; in a network another
// has used these since, and kernels suffer from that in different degrees.
//
// A layer that was seen in a network, done in the same way, costs the median of what it took there.
// Any other one costs what it does alone, times the factor of its implementation: the median of
// in-network over isolated times where the implementation was seen on other layers, drawn towards
// the median over all that was seen, and that towards 1, the more the fewer there are. So that what
// has been seen is not held against what has not.
class NetworkCosts : public LayerCosts {
 public:
  // `isolated` outlives it.
  explicit NetworkCosts(const LayerCosts& isolated) : isolated_(isolated) {}

  // Nothing is learned of what has no isolated cost; and of one that is predicted, not measured,
  // nothing but that layer's own.
  void Learn(const LayerSpec& spec, const Implementation& implementation, double in_network_ms);

  std::optional<Estimate> Cost(const LayerSpec& spec,
                               const Implementation& implementation) const override;
  std::optional<int64_t> WorkspaceBytes(const LayerSpec& spec,
                                        const Implementation& implementation) const override {
    return isolated_.WorkspaceBytes(spec, implementation);
  }

  // In-network over isolated time, as believed of an implementation's name.
  double FactorOf(const std::string& implementation_name) const;

 private:
  const LayerCosts& isolated_;
  std::map<std::string, std::vector<double>> seen_ms_;  // by layer and implementation
  std::map<std::string, std::vector<double>> ratios_;   // by implementation name
  std::vector<double> all_ratios_;
  mutable std::map<std::string, double> factors_;  // as far as they were asked for since
};

}  // namespace fettle
