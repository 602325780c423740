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
  std::string name;
  ParameterKind kind;
  Tensor values;
};

// The constants that nodes read, in the order in which they first do.
std::vector<ValueId> ConstantsOf(const Graph& graph);

// All of them, in that order. Throws an Error where one is not f32.
std::vector<Parameter> ParametersOf(const Graph& graph);

// The graph with these values for those of ParametersOf(graph).
Graph WithParameters(const Graph& graph, const std::vector<Parameter>& parameters);

}  // namespace fettle
