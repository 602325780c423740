#include "fettle/network/variants/restricted_calibration.h"

#include <map>
#include <string>
#include <vector>

namespace fettle {
namespace {

// With so many entries a channel, side by side.
Moments RestrictedTo(const std::vector<int64_t>& channels, size_t per_channel,
                     const Moments& moments) {
  std::vector<size_t> entries;
  for (const int64_t channel : channels) {
    for (size_t i = 0; i < per_channel; ++i) {
      entries.push_back(static_cast<size_t>(channel) * per_channel + i);
    }
  }
  Moments restricted;
  restricted.samples = moments.samples;
  for (const size_t entry : entries) restricted.mean.push_back(moments.mean[entry]);
  if (moments.covariance.empty()) return restricted;
  restricted.covariance.reserve(entries.size() * entries.size());
  for (const size_t row : entries) {
    for (const size_t column : entries) {
      restricted.covariance.push_back(moments.covariance[row * moments.size() + column]);
    }
  }
  return restricted;
}

bool LosesPositions(const Graph& graph, const KeptIndices& kept, ValueId id) {
  for (int axis = 0; axis < static_cast<int>(graph.value(id).type.shape.size()); ++axis) {
    if (axis != 1 && kept.Of({id, axis}) != nullptr) return true;
  }
  return false;
}

}  // namespace

Calibration Restricted(const Calibration& calibration, const Graph& graph,
                       const KeptIndices& kept) {
  Calibration restricted;
  for (size_t i = 0; i < graph.num_values(); ++i) {
    const auto id = static_cast<ValueId>(i);
    const auto known = calibration.values.find(graph.value(id).name);
    if (known == calibration.values.end() || LosesPositions(graph, kept, id)) continue;
    const std::vector<int64_t>* const channels = kept.Of({id, 1});
    ActivationStatistics& statistics = restricted.values[known->first];
    if (channels == nullptr) {
      statistics = known->second;
    } else {
      static_cast<Moments&>(statistics) = RestrictedTo(*channels, 1, known->second);
    }
  }
  for (const Node& node : graph.nodes()) {
    const auto known = calibration.patches.find(node.name);
    if (known == calibration.patches.end() || LosesPositions(graph, kept, node.inputs[0])) continue;
    const std::vector<int64_t>* const channels = kept.Of({node.inputs[0], 1});
    Moments& moments = restricted.patches[known->first];
    if (channels == nullptr) {
      moments = known->second;
    } else {
      const auto all = static_cast<size_t>(graph.value(node.inputs[0]).type.shape[1]);
      moments = RestrictedTo(*channels, known->second.size() / all, known->second);
    }
  }
  return restricted;
}

}  // namespace fettle
