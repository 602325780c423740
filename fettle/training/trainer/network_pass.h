#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/training/trainer/gradient_memory.h"
#include "fettle/training/trainer/parameter.h"
#include "fettle/training/trainer/training_op.h"

namespace fettle {

// What a node computed in the last Forward, and the loss's gradient by it: both of `type`, with the
// channels last ([N,H,W,C], [N,C]). Where an activation is fused into the node, behind that.
struct NodeGradient {
  const std::string& node;
  TensorType type;  // its shape is written channels first
  const std::byte* output = nullptr;
  const std::byte* gradient = nullptr;
};
using GradientObserver = std::function<void(const NodeGradient&)>;

// Forward and backward through a classifier for a fixed number of images: the operators in training
// form and the memory between them. ReLU and ReLU6 are fused into the batch norm or addition before
// them; a softmax at the end is left out, since losses are of logits. Used by one thread at a time,
// with ThreadScope(1) in force, from its making on.
class NetworkPass {
 public:
  // Activations behind an input of three or four axes are of `dtype` (f32 or bf16) until they are
  // averaged or flattened, then f32. `parameters` are ParametersOf(graph) or the same changed; they
  // are read anew in each pass; they must outlive this. Throws an Error that names the node that
  // cannot be trained.
  NetworkPass(const Graph& graph, const std::vector<Parameter>* parameters, int64_t batch,
              DType dtype, const Target& target);
  ~NetworkPass();
  NetworkPass(const NetworkPass&) = delete;
  NetworkPass& operator=(const NetworkPass&) = delete;

  int64_t batch() const { return batch_; }

  // Where the images go: f32, channels last, one after another.
  std::span<float> input() { return input_.values<float>(); }

  void Forward(PassMode mode);

  // [batch, classes], of the last Forward.
  std::span<const float> logits() const;

  // Where the loss's gradient goes before Backward; the same shape.
  std::span<float> logits_gradient();

  // After a Forward in training mode. The observer sees each node that passes a gradient on, last
  // ones first; sums and views, whose gradient is their inputs' as it stands, it does not see.
  void Backward(const GradientObserver& observer = {});

  // For each parameter: its gradient by the last Backward, or what the last Forward estimated.
  const std::vector<Tensor>& gradients() const { return gradients_; }

 private:
  struct Step {
    std::unique_ptr<TrainingOp> op;
    OpMemory memory;
    bool is_view = false;
    std::string name;
    TensorType output_type;
  };
  struct Accumulation {  // to = a + b
    std::byte* to;
    const std::byte* a;
    const std::byte* b;
    TensorType type;
  };
  class Builder;

  void Accumulate(const Accumulation& sum) const;
  void ConvertInput();

  int64_t batch_;
  Target target_;
  const std::vector<Parameter>* parameters_;
  Tensor input_, converted_input_;  // converted where activations are bf16
  std::vector<Step> steps_;
  std::vector<std::variant<size_t, Accumulation>> backward_;  // size_t: the step with this index
  std::vector<Tensor> activations_, gradients_, spare_gradients_;
  std::vector<std::pair<size_t, size_t>> spare_of_;  // parameter, spare gradient to be added to it
  GradientMemory gradient_memory_;
  Tensor scratch_;
  const std::byte* logits_ = nullptr;
  std::byte* logits_gradient_ = nullptr;
  int64_t num_logits_ = 0;
};

}  // namespace fettle
