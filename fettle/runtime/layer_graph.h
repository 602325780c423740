#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/core/tensor.h"

namespace fettle {

using TensorId = int32_t;

// A tensor between layers: an input, a constant, or what a layer computes.
struct LayerTensor {
  std::string name;
  TensorType type;
  std::shared_ptr<const Tensor> constant;  // else null
};

// One unit of work that a primitive computes, with everything fused into it.
struct Layer {
  std::string name;  // of the node it was made from; unique
  LayerSpec spec;
  std::vector<TensorId> inputs;  // one for each of spec.inputs
  TensorId output = -1;
  std::vector<std::shared_ptr<const Tensor>> weights;  // of the types of spec.weights
};

// A network as primitives see it: made by Lower() (deploy/), all floating point in f32. Layers
// stand in an order in which each tensor is computed before it is read.
struct LayerGraph {
  std::vector<LayerTensor> tensors;
  std::vector<Layer> layers;
  std::vector<TensorId> inputs, outputs;

  // The indices of the layers that read each tensor, ascending, a layer once.
  std::vector<std::vector<int>> Readers() const;
  // The index of the layer that computes each tensor; -1 for inputs and constants.
  std::vector<int> Producers() const;
};

int64_t MacsOf(const LayerGraph& graph);

}  // namespace fettle
