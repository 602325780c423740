#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/network/graph.h"
#include "fettle/network/linalg/matrix.h"
#include "fettle/network/variants/factor_variant.h"

namespace fettle {

// Of standard normal numbers.
Matrix RandomMatrix(size_t rows, size_t columns, uint64_t seed);

// Those of so many correlated random vectors.
Moments RandomMoments(size_t size, int64_t samples, uint64_t seed);

// The greatest difference of any output, for random inputs, over the greatest output of `a`.
double WorstDifference(const Graph& a, const Graph& b);

// Windows of every sort that a decomposition must keep: 3x3, 5x5, 3x1, 1x3; strides, dilations and
// padding that differ between the axes and between an axis's ends.
std::vector<Window> SpatialWindows();

// A network of one convolution, "conv", with a bias, [2, inputs, 9, 8] -> outputs.
Graph ConvNetwork(const Window& window, int64_t inputs, int64_t outputs);

// Relative error of a variant's factors for the layer "conv"; with `input` refitted and judged by
// it.
double ErrorOf(const FactorVariant& variant, const Graph& graph, const Moments* input);

// Of factors made from the weights alone, for these inputs.
double PlainErrorOf(const FactorVariant& variant, const Graph& graph, const Moments& input);

// What Rewrite says of a layer in groups, one with a 1x1 kernel, a product, and "conv" itself with
// too great a rank: four reasons.
std::vector<std::string> Refusals(const Variant& small, const Variant& large);

}  // namespace fettle
