#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "fettle/network/graph.h"

namespace fettle {

// A tensor of doubles, row-major.
struct Array {
  Shape shape;
  std::vector<double> values;
};

// The tensor's values; f16 is not understood (the test fails).
Array ToArray(const Tensor& tensor);

// Runs the graph in double precision, operator by operator in plain loops over plain layouts, and
// independent of everything but the graph and shape inference: what other ways to compute it are
// compared with. Throws std::invalid_argument for inputs that do not fit, and for the operators
// that exist only in lowered layers. Casts to integer types truncate towards zero and saturate.
std::vector<Array> Interpret(const Graph& graph, std::span<const Array> inputs);

// The same, with the arrays of every value of the graph.
std::map<ValueId, Array> InterpretAll(const Graph& graph, std::span<const Array> inputs);

}  // namespace fettle
