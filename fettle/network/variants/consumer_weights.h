#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "fettle/network/graph.h"

namespace fettle {

// The constant weights by which a layer reads the channels of its input, where its bias can be
// corrected for what becomes of them: of a convolution, a Gemm or a product of matrices, in f32,
// its bias absent or one f32 number for each output.
struct ConsumerWeights {
  std::span<const float> values;
  size_t outputs = 0;
  size_t inputs = 0;  // that an output reads: channels of its group
  size_t groups = 1;
  size_t taps = 1;  // of a kernel; they lie side by side
  size_t output_stride = 0, input_stride = 0;
  double scale = 1;  // of the product, before the bias is added

  // Nothing for any other node.
  static std::optional<ConsumerWeights> Of(const Graph& graph, const Node& node);

  // Of an output and an input of its group, the place of the first tap.
  size_t Place(size_t output, size_t input) const {
    return output * output_stride + input * input_stride;
  }
  // The channel that is input 0 of an output's group.
  size_t FirstInput(size_t output) const { return output / (outputs / groups) * inputs; }
};

}  // namespace fettle
