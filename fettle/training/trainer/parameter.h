#pragma once

#include <string>
#include <vector>

#include "fettle/core/tensor.h"
#include "fettle/network/graph.h"

namespace fettle {

enum class ParameterKind : uint8_t {
  kWeight,     // learned, with weight decay
  kScale,      // learned, without: biases, batch norm's scales and shifts
  kEstimated,  // batch norm's mean and variance: running averages of the batches'
};

// A constant of the network that training changes; f32.
struct Parameter {
  ValueId id;
  std::string name;
  ParameterKind kind;
  Tensor values;
};

// All of them, in the order in which nodes first read them. Throws an Error where one is not f32.
std::vector<Parameter> ParametersOf(const Graph& graph);

// The graph with these values. Parameters are those of ParametersOf(graph).
Graph WithParameters(const Graph& graph, const std::vector<Parameter>& parameters);

}  // namespace fettle
