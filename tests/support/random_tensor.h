#pragma once

#include "fettle/core/layer_spec.h"
#include "fettle/core/random.h"
#include "fettle/core/tensor.h"

namespace fettle {

// Operands of a layer with values that make a test of it sharp: of either sign, spread over the
// ranges where activations bend, away from zero where they divide, and with the spec's density of
// non-zeros in the first weight. Integers take every value.
struct LayerOperands {
  std::vector<Tensor> inputs, weights;
};

LayerOperands RandomOperands(const LayerSpec& spec, Random* random);

// Uniform in [low, high] where the type is a float's; every bit pattern of integers; 0 and 1 of
// bool.
Tensor RandomTensor(const TensorType& type, double low, double high, Random* random);

}  // namespace fettle
