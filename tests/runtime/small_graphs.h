#pragma once

#include "fettle/core/random.h"
#include "fettle/core/shape_inference.h"
#include "fettle/runtime/layer_graph.h"

namespace fettle {

inline Tensor RandomTensor(const TensorType& type, Random* random) {
  Tensor tensor(type);
  for (float& value : tensor.values<float>()) value = static_cast<float>(random->Normal());
  return tensor;
}

inline TensorId AddTensor(LayerGraph* graph, std::string name, const TensorType& type) {
  graph->tensors.push_back({std::move(name), type, nullptr});
  return static_cast<TensorId>(graph->tensors.size()) - 1;
}

inline TensorId AddLayer(LayerGraph* graph, const std::string& name, Op op,
                         std::vector<TensorId> inputs, std::vector<Tensor> weights = {}) {
  Layer layer;
  layer.name = name;
  layer.spec.op = std::move(op);
  std::vector<TensorType> types;
  for (const TensorId id : inputs) {
    layer.spec.inputs.push_back(graph->tensors[static_cast<size_t>(id)].type);
    types.push_back(layer.spec.inputs.back());
  }
  for (Tensor& weight : weights) {
    layer.spec.weights.push_back(weight.type());
    types.push_back(weight.type());
    layer.weights.push_back(std::make_shared<Tensor>(std::move(weight)));
  }
  layer.spec.output = InferTypes(layer.spec.op, types)[0];
  layer.inputs = std::move(inputs);
  layer.output = AddTensor(graph, name, layer.spec.output);
  graph->layers.push_back(std::move(layer));
  return graph->layers.back().output;
}

inline Window Square(int64_t kernel, int64_t pad) {
  return {{kernel, kernel}, {1, 1}, {1, 1}, {pad, pad}, {pad, pad}};
}

// x -> conv -> relu -> conv -> + relu's result -> pool; 9 channels, so that blocks have padding.
inline LayerGraph ResidualBlock(uint64_t seed) {
  Random random(seed);
  LayerGraph graph;
  const TensorId x = AddTensor(&graph, "x", {DType::kF32, {1, 3, 8, 8}});
  graph.inputs = {x};
  const auto weights = [&](Shape shape) { return RandomTensor({DType::kF32, shape}, &random); };
  std::vector<Tensor> first, second;
  first.push_back(weights({9, 3, 3, 3}));
  first.push_back(weights({9}));
  second.push_back(weights({9, 9, 3, 3}));
  const TensorId a = AddLayer(&graph, "conv1", Conv{Square(3, 1), 1}, {x}, std::move(first));
  const TensorId b = AddLayer(&graph, "relu", Activation{}, {a});
  const TensorId c = AddLayer(&graph, "conv2", Conv{Square(3, 1), 1}, {b}, std::move(second));
  const TensorId d = AddLayer(&graph, "sum", Binary{BinaryKind::kAdd}, {c, b});
  graph.outputs = {AddLayer(&graph, "pool", GlobalAveragePool{}, {d})};
  return graph;
}

}  // namespace fettle
