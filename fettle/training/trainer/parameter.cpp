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

std::vector<ValueId> ConstantsOf(const Graph& graph) {
  std::vector<ValueId> ids;
  std::vector<bool> seen(graph.num_values());
  for (const Node& node : graph.nodes()) {
    for (const ValueId id : node.inputs) {
      if (!graph.IsConstant(id) || seen[static_cast<size_t>(id)]) continue;
      seen[static_cast<size_t>(id)] = true;
      ids.push_back(id);
    }
  }
  return ids;
}

std::vector<Parameter> ParametersOf(const Graph& graph) {
  std::vector<ParameterKind> kinds(graph.num_values());
  for (auto place = graph.nodes().rbegin(); place != graph.nodes().rend(); ++place) {
    const Node& node = *place;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      kinds[static_cast<size_t>(node.inputs[i])] = KindOf(node.op, i);
    }
  }
  std::vector<Parameter> parameters;
  for (const ValueId id : ConstantsOf(graph)) {
    const Value& value = graph.value(id);
    if (value.type.dtype != DType::kF32) {
      throw BadInput("constant '", value.name, "' is ", TypeText(value.type),
                     "; only f32 can be trained");
    }
    parameters.push_back({value.name, kinds[static_cast<size_t>(id)], *value.constant});
  }
  return parameters;
}

Graph WithParameters(const Graph& graph, const std::vector<Parameter>& parameters) {
  const std::vector<ValueId> ids = ConstantsOf(graph);
  assert(ids.size() == parameters.size());
  Graph result = graph;
  for (size_t i = 0; i < ids.size(); ++i) {
    result.SetConstant(ids[i], std::make_shared<const Tensor>(parameters[i].values));
  }
  return result;
}

}  // namespace fettle
