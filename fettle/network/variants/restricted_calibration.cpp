#include "fettle/network/variants/restricted_calibration.h"

#include <vector>

namespace fettle {
namespace {

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
      static_cast<Moments&>(statistics) = OfChannels(known->second, *channels, 1);
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
      moments = OfChannels(known->second, *channels, known->second.size() / all);
    }
  }
  return restricted;
}

}  // namespace fettle
