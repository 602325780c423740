#include "tests/training/training_interpreter.h"

#include <cmath>
#include <map>

#include "fettle/training/trainer/parameter.h"

namespace fettle {
namespace {

Array NormaliseBatch(const Array& x, const Array& scale, const Array& shift, double epsilon) {
  const int64_t channels = x.shape[1];
  const int64_t plane = ElementCount(x.shape) / (x.shape[0] * channels);
  Array y = x;
  for (int64_t c = 0; c < channels; ++c) {
    double sum = 0, squares = 0;
    const auto for_each = [&](const auto& visit) {
      for (int64_t n = 0; n < x.shape[0]; ++n) {
        for (int64_t p = 0; p < plane; ++p)
          visit(static_cast<size_t>((n * channels + c) * plane + p));
      }
    };
    const double count = static_cast<double>(x.shape[0] * plane);
    for_each([&](size_t i) { sum += x.values[i]; });
    const double mean = sum / count;
    for_each([&](size_t i) { squares += (x.values[i] - mean) * (x.values[i] - mean); });
    const double factor = 1 / std::sqrt(squares / count + epsilon);
    const auto channel = static_cast<size_t>(c);
    for_each([&](size_t i) {
      y.values[i] = (x.values[i] - mean) * factor * scale.values[channel] + shift.values[channel];
    });
  }
  return y;
}

Array RunNode(const Node& node, const std::vector<Array>& inputs) {
  if (const auto* norm = std::get_if<BatchNorm>(&node.op)) {
    return NormaliseBatch(inputs[0], inputs[1], inputs[2], norm->epsilon);
  }
  Graph graph;
  std::vector<ValueId> ids;
  for (const Array& input : inputs) ids.push_back(graph.AddInput("x", {DType::kF32, input.shape}));
  graph.AddOutput(graph.AddNode("y", node.op, ids)[0]);
  return Interpret(graph, inputs)[0];
}

}  // namespace

Array InterpretInTraining(const Graph& graph, const Array& input,
                          const std::vector<Array>& constants) {
  std::map<ValueId, Array> values{{graph.inputs()[0], input}};
  const std::vector<ValueId> ids = ConstantsOf(graph);
  for (size_t i = 0; i < ids.size(); ++i) values[ids[i]] = constants[i];
  for (const Node& node : graph.nodes()) {
    std::vector<Array> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(values.at(id));
    values[node.outputs[0]] = RunNode(node, inputs);
  }
  return values.at(graph.outputs()[0]);
}

}  // namespace fettle
