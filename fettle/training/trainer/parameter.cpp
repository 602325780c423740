#include "fettle/training/trainer/parameter.h"

#include <cassert>
#include <memory>

#include "fettle/core/error.h"

namespace fettle {
namespace {

ParameterKind KindOf(const Op& op, size_t input) {
  if (std::holds_alternative<BatchNorm>(op)) {
    return input < 3 ? ParameterKind::kScale : ParameterKind::kEstimated;
  }
  return input == 1 ? ParameterKind::kWeight : ParameterKind::kScale;
}

}  // namespace

std::vector<Parameter> ParametersOf(const Graph& graph) {
  std::vector<Parameter> parameters;
  std::vector<bool> seen(graph.num_values());
  for (const Node& node : graph.nodes()) {
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const ValueId id = node.inputs[i];
      if (!graph.IsConstant(id) || seen[static_cast<size_t>(id)]) continue;
      seen[static_cast<size_t>(id)] = true;
      const Value& value = graph.value(id);
      if (value.type.dtype != DType::kF32) {
        throw BadInput("node '", node.name, "': constant '", value.name, "' is ",
                       TypeText(value.type), "; only f32 can be trained");
      }
      parameters.push_back({id, value.name, KindOf(node.op, i), *value.constant});
    }
  }
  return parameters;
}

Graph WithParameters(const Graph& graph, const std::vector<Parameter>& parameters) {
  Graph result = graph;
  for (const Parameter& parameter : parameters) {
    result.SetConstant(parameter.id, std::make_shared<const Tensor>(parameter.values));
  }
  return result;
}

}  // namespace fettle
