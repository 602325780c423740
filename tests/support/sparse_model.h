#pragma once

#include <cstdint>
#include <string>

namespace fettle {

struct ZeroOptions {
  double sparsity = 0;      // the share of each convolution's weights that become zero
  bool dense_first = true;  // but for the first convolution's
  uint64_t seed = 1;
};

// An ONNX file's convolutions pruned at random, each by itself and to the weight: llround(sparsity
// * weights) of its weights become zero. What is left keeps its value. Asserts that weights are raw
// f32 data, as model_zoo.h writes them.
std::string WithZeros(const std::string& model, const ZeroOptions& options);

}  // namespace fettle
