#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/runtime/executor.h"
#include "fettle/training/data/dataset.h"

namespace fettle {

// Shows what a network computes within, on the images of a dataset: run by the runtime in f32 with
// the default primitives.
class ActivationTap {
 public:
  // `values` are computed ones of the graph, f32, each once. Throws Error (kBadInput) where the
  // dataset's images do not fit.
  ActivationTap(const Graph& graph, const std::vector<ValueId>& values, const Dataset& dataset,
                const PrimitiveList& primitives, const Target& target);

  // The values of the next images of the dataset, in the order asked for, their leading extent
  // being the number of images; nothing after the last. Two taps on one dataset keep step.
  std::optional<std::vector<Tensor>> Next();

 private:
  const Dataset& dataset_;
  int64_t next_ = 0;  // image
  Tensor input_;
  std::vector<Tensor> output_tensors_;
  std::unique_ptr<Executor> executor_;
  std::vector<size_t> outputs_;  // of each value asked for: which output of the plan it is
};

}  // namespace fettle
