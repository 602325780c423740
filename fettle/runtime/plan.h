#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/core/layout.h"
#include "fettle/core/tensor.h"
#include "fettle/primitives/primitive.h"

namespace fettle {

// A tensor as the plan holds it: in one precision and one layout.
struct PlanTensor {
  std::string name;
  TensorType type;
  Layout layout = Layout::kPlain;
  std::shared_ptr<const Tensor> constant;  // in plain layout; else null
};

// One kernel to run.
struct PlanStep {
  std::string layer;  // of the network; for a reorder, the tensor's name with what it becomes
  LayerSpec spec;     // at the precision it runs in
  Implementation implementation;
  std::vector<int> inputs;  // indices of Plan::tensors
  int output = -1;
  std::vector<std::shared_ptr<const Tensor>> weights;  // of the types of spec.weights
};

// What the executor runs: a network with each choice made. Inputs and outputs are plain and have
// the network's own types. Complete in itself: what `deploy` writes as plan.json and its weights.
struct Plan {
  std::vector<PlanTensor> tensors;
  std::vector<PlanStep> steps;  // in order
  std::vector<int> inputs, outputs;
  int threads = 1;  // that the choices were made for
};

// Bytes of the weights and constants as stored, each once.
int64_t StoredWeightBytes(const Plan& plan);

}  // namespace fettle
