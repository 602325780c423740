#include "fettle/network/variants/fresh_factors.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/network/graph_edit.h"

namespace fettle {
namespace {

Tensor DrawnWeights(const WeightedLayer& layer, const FactorShape& shape, Random random) {
  Tensor weights({DType::kF32, WeightsShape(layer, shape)});
  const double deviation = std::sqrt(2.0 / static_cast<double>(shape.patch()));
  for (float& weight : weights.values<float>()) {
    weight = static_cast<float>(random.Normal(0, deviation));
  }
  return weights;
}

ValueId AddConstant(const std::string& name, int64_t size, float value, Graph* graph) {
  Tensor tensor({DType::kF32, {size}});
  std::ranges::fill(tensor.values<float>(), value);
  return graph->AddConstant(name, std::move(tensor));
}

ValueId AddNormAndRelu(const Graph& old, const std::string& factor, int64_t channels, ValueId x,
                       Graph* graph) {
  const std::string norm = UnusedNodeName(old, factor + ".norm");
  std::vector<ValueId> inputs = {x};
  for (const auto& [part, value] :
       {std::pair{".scale", 1.f}, {".shift", 0.f}, {".mean", 0.f}, {".variance", 1.f}}) {
    inputs.push_back(AddConstant(norm + part, channels, value, graph));
  }
  x = graph->AddNode(norm, BatchNorm{}, std::move(inputs))[0];
  return graph->AddNode(UnusedNodeName(old, factor + ".relu"), Activation{}, {x})[0];
}

}  // namespace

Graph WithFreshFactors(const Graph& graph, const WeightedLayer& layer,
                       std::span<const FactorShape> shapes, uint64_t seed) {
  const Node& node = graph.nodes()[static_cast<size_t>(layer.node)];
  const Random random = Random(seed).Fork(layer.name);
  return WithNodeReplaced(
      graph, layer.node, [&](Graph* result, const std::vector<ValueId>& inputs) {
        ValueId x = inputs[0];
        for (size_t i = 0; i + 1 < shapes.size(); ++i) {
          const std::string name = UnusedNodeName(graph, Text(layer.name, ".", i + 1));
          const ValueId weights =
              result->AddConstant(name + ".weight", DrawnWeights(layer, shapes[i], random.Fork(i)));
          x = result->AddNode(name, OpOf(layer, shapes[i]), {x, weights})[0];
          x = AddNormAndRelu(graph, name, shapes[i].outputs, x, result);
        }
        const FactorShape& last = shapes.back();
        std::vector<ValueId> operands = {
            x, result->AddConstant(NameOfNewConstant(graph, layer, 1),
                                   DrawnWeights(layer, last, random.Fork(shapes.size() - 1)))};
        if (node.inputs.size() > 2) {
          operands.push_back(
              AddConstant(NameOfNewConstant(graph, layer, 2), layer.outputs, 0, result));
        }
        return result->AddNode(layer.name, OpOf(layer, last), std::move(operands))[0];
      });
}

}  // namespace fettle
