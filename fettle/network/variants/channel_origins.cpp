#include "fettle/network/variants/channel_origins.h"

#include <cassert>
#include <numeric>
#include <utility>

namespace fettle {
namespace {

// A calibration in which the mean of each channel is its number: carried through a rewrite it says
// where they went.
Calibration NumberedChannels(const Graph& graph) {
  Calibration numbered;
  for (const Node& node : graph.nodes()) {
    for (const ValueId id : node.outputs) {
      const Shape& shape = graph.value(id).type.shape;
      if (shape.size() < 2) continue;
      std::vector<double>& numbers = numbered.values[graph.value(id).name].mean;
      numbers.resize(static_cast<size_t>(shape[1]));
      std::iota(numbers.begin(), numbers.end(), 0.0);
    }
  }
  return numbered;
}

}  // namespace

TrackedRewrite RewriteTracked(const Variant& variant, const Graph& graph, std::string_view layer,
                              RewriteOptions options) {
  assert(options.carried == nullptr);
  Calibration numbered = NumberedChannels(graph);
  options.carried = &numbered;
  TrackedRewrite tracked{variant.Rewrite(graph, layer, options), {}};
  for (const auto& [value, statistics] : numbered.values) {
    std::vector<int64_t> origins;
    bool is_in_place = true;
    for (const double number : statistics.mean) {
      is_in_place = is_in_place && number == static_cast<double>(origins.size());
      origins.push_back(static_cast<int64_t>(number));
    }
    if (!is_in_place) tracked.origins[value] = std::move(origins);
  }
  return tracked;
}

}  // namespace fettle
