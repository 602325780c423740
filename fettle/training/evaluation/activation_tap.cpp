#include "fettle/training/evaluation/activation_tap.h"

#include <algorithm>
#include <cassert>
#include <cstring>

#include "fettle/deploy/default_plan.h"

namespace fettle {
namespace {

constexpr int64_t kImagesAtOnce = 50;

// The values of the first images of a batch.
Tensor FirstImages(const Tensor& values, int64_t count) {
  assert(!values.shape().empty() && count <= values.shape()[0]);
  Shape shape = values.shape();
  shape[0] = count;
  Tensor result(TensorType{values.dtype(), shape});
  std::memcpy(result.bytes(), values.bytes(), result.num_bytes());
  return result;
}

}  // namespace

ActivationTap::ActivationTap(const Graph& graph, const std::vector<ValueId>& values,
                             const Dataset& dataset, const PrimitiveList& primitives,
                             const Target& target)
    : dataset_(dataset) {
  RequireFits(dataset, graph.value(graph.inputs().at(0)).type.shape,
              graph.value(graph.outputs().at(0)).type.shape.back());
  Graph tapped = graph;
  for (const ValueId value : values) {
    const auto& outputs = tapped.outputs();
    const auto found = std::ranges::find(outputs, value);
    outputs_.push_back(static_cast<size_t>(found - outputs.begin()));
    if (found == outputs.end()) tapped.AddOutput(value);
  }
  const int64_t batch = std::min(kImagesAtOnce, dataset.size());
  executor_ = std::make_unique<Executor>(
      DefaultPlan(tapped, batch, DType::kF32, primitives, target), primitives, target);
  const Plan& plan = executor_->plan();
  const auto type = [&](int id) { return plan.tensors[static_cast<size_t>(id)].type; };
  input_ = Tensor(type(plan.inputs.at(0)));
  for (const int id : plan.outputs) output_tensors_.emplace_back(type(id));
}

std::optional<std::vector<Tensor>> ActivationTap::Next() {
  const int64_t count = std::min(input_.shape()[0], dataset_.size() - next_);
  if (count <= 0) return std::nullopt;
  const Tensor images = Images(dataset_, next_, count);
  std::memcpy(input_.bytes(), images.bytes(), images.num_bytes());
  std::vector<Tensor*> outputs;
  for (Tensor& output : output_tensors_) outputs.push_back(&output);
  const Tensor* const inputs[] = {&input_};
  executor_->Run(inputs, outputs);
  next_ += count;
  std::vector<Tensor> values;
  for (const size_t i : outputs_) values.push_back(FirstImages(output_tensors_[i], count));
  return values;
}

}  // namespace fettle
