#pragma once

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "fettle/core/tensor.h"
#include "fettle/training/trainer/onednn_weights.h"
#include "fettle/training/trainer/training_op.h"

namespace fettle::onednn {

// An operator with weights and possibly a bias by oneDNN, whose three primitives are of one family:
// dnnl::convolution_* or dnnl::inner_product_*. The parameters are inputs 1 and 2, in f32.
template <typename ForwardPrimitive, typename BackwardDataPrimitive,
          typename BackwardWeightsPrimitive>
class WeightedOp : public TrainingOp {
 public:
  struct Descriptions {
    typename ForwardPrimitive::primitive_desc forward;
    typename BackwardDataPrimitive::primitive_desc backward_data;
    typename BackwardWeightsPrimitive::primitive_desc backward_weights;
    dnnl::memory::desc plain_weights;  // as the parameter lies in memory
  };

  WeightedOp(DType dtype, bool has_bias, Descriptions descriptions)
      : dtype_(dtype),
        has_bias_(has_bias),
        descriptions_(std::move(descriptions)),
        forward_(descriptions_.forward),
        backward_data_(descriptions_.backward_data),
        backward_weights_(descriptions_.backward_weights),
        forward_weights_(descriptions_.plain_weights, descriptions_.forward.weights_desc()),
        backward_data_weights_(descriptions_.plain_weights,
                               descriptions_.backward_data.weights_desc()),
        weights_gradient_(descriptions_.backward_weights.diff_weights_desc(),
                          descriptions_.plain_weights),
        bias_gradient_(TensorType{DType::kF32, {has_bias ? BiasCount() : 0}}) {}

  DType OutputType() const override { return dtype_; }
  size_t ScratchBytes() const override {
    return std::max({descriptions_.forward.scratchpad_desc().get_size(),
                     descriptions_.backward_data.scratchpad_desc().get_size(),
                     descriptions_.backward_weights.scratchpad_desc().get_size()});
  }

  void Forward(const OpMemory& memory, PassMode /*mode*/) override {
    dnnl::stream stream(Engine());
    const auto& description = descriptions_.forward;
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, Memory(description.src_desc(), memory.inputs[0])},
        {DNNL_ARG_WEIGHTS, forward_weights_.Pack(memory.inputs[1], &stream)},
        {DNNL_ARG_DST, Memory(description.dst_desc(), memory.output)},
        {DNNL_ARG_SCRATCHPAD, Memory(description.scratchpad_desc(), memory.scratch)}};
    if (has_bias_) arguments[DNNL_ARG_BIAS] = Memory(description.bias_desc(), memory.inputs[2]);
    forward_.execute(stream, arguments);
  }

  void Backward(const OpMemory& memory) override {
    dnnl::stream stream(Engine());
    const dnnl::memory output_gradient =
        Memory(descriptions_.forward.dst_desc(), memory.output_gradient);
    if (memory.input_gradients[0] != nullptr) BackwardData(memory, output_gradient, &stream);
    if (memory.input_gradients[1] != nullptr) BackwardWeights(memory, output_gradient, &stream);
  }

 private:
  int64_t BiasCount() const { return descriptions_.forward.bias_desc().dims()[0]; }

  void BackwardData(const OpMemory& memory, const dnnl::memory& output_gradient,
                    dnnl::stream* stream) {
    backward_data_.execute(
        *stream,
        {{DNNL_ARG_DIFF_DST, output_gradient},
         {DNNL_ARG_WEIGHTS, backward_data_weights_.Pack(memory.inputs[1], stream)},
         {DNNL_ARG_DIFF_SRC, Memory(descriptions_.forward.src_desc(), memory.input_gradients[0])},
         {DNNL_ARG_SCRATCHPAD,
          Memory(descriptions_.backward_data.scratchpad_desc(), memory.scratch)}});
  }

  void BackwardWeights(const OpMemory& memory, const dnnl::memory& output_gradient,
                       dnnl::stream* stream) {
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, Memory(descriptions_.forward.src_desc(), memory.inputs[0])},
        {DNNL_ARG_DIFF_DST, output_gradient},
        {DNNL_ARG_DIFF_WEIGHTS, weights_gradient_.Target(memory.input_gradients[1])},
        {DNNL_ARG_SCRATCHPAD,
         Memory(descriptions_.backward_weights.scratchpad_desc(), memory.scratch)}};
    if (has_bias_) {
      float* const wanted = reinterpret_cast<float*>(memory.input_gradients[2]);
      float* const place = wanted != nullptr ? wanted : bias_gradient_.values<float>().data();
      arguments[DNNL_ARG_DIFF_BIAS] = Memory(descriptions_.forward.bias_desc(), place);
    }
    backward_weights_.execute(*stream, arguments);
    weights_gradient_.Unpack(memory.input_gradients[1], stream);
  }

  DType dtype_;
  bool has_bias_;
  Descriptions descriptions_;
  ForwardPrimitive forward_;
  BackwardDataPrimitive backward_data_;
  BackwardWeightsPrimitive backward_weights_;
  PackedWeights forward_weights_, backward_data_weights_;
  UnpackedGradient weights_gradient_;
  Tensor bias_gradient_;  // where nobody asks for it
};

}  // namespace fettle::onednn
