#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "fettle/network/calibration.h"
#include "fettle/network/graph.h"
#include "fettle/network/linalg/matrix.h"

namespace fettle {

// A layer that variants may rewrite: a convolution over two axes, or a product of a matrix [N,S] by
// a constant one; weights and bias, if any, constants of f32, the weights finite.
struct WeightedLayer {
  std::string name;
  int node = 0;          // index into the graph's nodes
  bool is_conv = false;  // else a product, whose window is one tap
  int64_t outputs = 0;   // T
  int64_t inputs = 0;    // S, of all groups together
  int64_t groups = 1;
  Window window;
  TensorType input;  // as it reads it

  int64_t kernel_height() const { return window.kernel[0]; }
  int64_t kernel_width() const { return window.kernel[1]; }
  int64_t taps() const { return kernel_height() * kernel_width(); }
  // Of a row of the kernel: S / groups * taps.
  int64_t patch() const { return inputs / groups * taps(); }
};

// The node as such a layer, or why it is none, in words.
std::variant<WeightedLayer, std::string> AsWeightedLayer(const Graph& graph, int node);

// All of a graph, in the order of computation.
std::vector<WeightedLayer> WeightedLayers(const Graph& graph);

// By name. Throws an Error (kBadInput) that says why where there is none.
WeightedLayer FindWeightedLayer(const Graph& graph, std::string_view name);

// [T, S / groups * taps]: a row for each output, channel by channel, with the product's factors
// (alpha) multiplied in.
Matrix KernelOf(const Graph& graph, const WeightedLayer& layer);

// Whether something else reads the layer's weights (input 1) or bias (2) too: they stay when the
// layer is rewritten.
bool SharesConstant(const Graph& graph, const WeightedLayer& layer, size_t input);

// Of the constant that takes the place of its weights (1) or bias (2): their name where they go.
std::string NameOfNewConstant(const Graph& graph, const WeightedLayer& layer, size_t input);

// One number for each output; zeros without a bias.
std::vector<double> BiasOf(const Graph& graph, const WeightedLayer& layer);

// Of what the layer multiplies with a row of its kernel (of a layer without groups); null where the
// calibration does not know it, or knows another extent.
const Moments* InputMoments(const Graph& graph, const WeightedLayer& layer,
                            const Calibration* calibration);

}  // namespace fettle
