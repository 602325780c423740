#include <cassert>

#include "fettle/core/tensor.h"
#include "fettle/training/trainer/onednn_weights.h"
#include "fettle/training/trainer/training_op_list.h"

namespace fettle {
namespace {

using onednn::Memory;
using onednn::Tag;

// Gemm, MatMul and InnerProduct with constant weights, all as y = x w^T + bias, in f32.
struct Geometry {
  explicit Geometry(const TrainingOpSpec& spec) {
    const auto* gemm = std::get_if<Gemm>(&spec.op);
    const bool transposed =
        gemm != nullptr ? !gemm->transpose_b : std::holds_alternative<MatMul>(spec.op);
    const auto f32 = onednn::TypeOf(DType::kF32);
    Shape dims = spec.inputs[1].shape;  // [outputs, inputs]; stored so, or transposed
    if (transposed) std::swap(dims[0], dims[1]);
    source = {spec.inputs[0].shape, f32, Tag::ab};
    destination = {spec.output, f32, Tag::ab};
    plain_weights = {dims, f32, transposed ? Tag::ba : Tag::ab};
    any_weights = {dims, f32, Tag::any};
    if (spec.inputs.size() == 3) bias = {{dims[0]}, f32, Tag::a};
  }

  dnnl::memory::desc source, destination, plain_weights, any_weights, bias;
};

dnnl::inner_product_forward::primitive_desc ForwardDesc(const Geometry& g) {
  return {{dnnl::prop_kind::forward_training, g.source, g.any_weights, g.bias, g.destination},
          onednn::UserScratch(),
          onednn::Engine()};
}

dnnl::inner_product_backward_data::primitive_desc BackwardDataDesc(
    const Geometry& g, const dnnl::inner_product_forward::primitive_desc& forward) {
  return {
      {g.source, g.any_weights, g.destination}, onednn::UserScratch(), onednn::Engine(), forward};
}

dnnl::inner_product_backward_weights::primitive_desc BackwardWeightsDesc(
    const Geometry& g, const dnnl::inner_product_forward::primitive_desc& forward) {
  return {{g.source, g.any_weights, g.bias, g.destination},
          onednn::UserScratch(),
          onednn::Engine(),
          forward};
}

class InnerProductOp : public TrainingOp {
 public:
  explicit InnerProductOp(const TrainingOpSpec& spec) : InnerProductOp(spec, Geometry(spec)) {}

  DType OutputType() const override { return DType::kF32; }
  size_t ScratchBytes() const override {
    return std::max({forward_desc_.scratchpad_desc().get_size(),
                     backward_data_desc_.scratchpad_desc().get_size(),
                     backward_weights_desc_.scratchpad_desc().get_size()});
  }

  void Forward(const OpMemory& memory, PassMode /*mode*/) override {
    dnnl::stream stream(onednn::Engine());
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, Memory(forward_desc_.src_desc(), memory.inputs[0])},
        {DNNL_ARG_WEIGHTS, forward_weights_.Pack(memory.inputs[1], &stream)},
        {DNNL_ARG_DST, Memory(forward_desc_.dst_desc(), memory.output)},
        {DNNL_ARG_SCRATCHPAD, Memory(forward_desc_.scratchpad_desc(), memory.scratch)}};
    if (has_bias_) arguments[DNNL_ARG_BIAS] = Memory(forward_desc_.bias_desc(), memory.inputs[2]);
    forward_.execute(stream, arguments);
  }

  void Backward(const OpMemory& memory) override {
    dnnl::stream stream(onednn::Engine());
    const dnnl::memory output_gradient = Memory(forward_desc_.dst_desc(), memory.output_gradient);
    if (memory.input_gradients[0] != nullptr) {
      backward_data_.execute(
          stream,
          {{DNNL_ARG_DIFF_DST, output_gradient},
           {DNNL_ARG_WEIGHTS, backward_data_weights_.Pack(memory.inputs[1], &stream)},
           {DNNL_ARG_DIFF_SRC, Memory(forward_desc_.src_desc(), memory.input_gradients[0])},
           {DNNL_ARG_SCRATCHPAD, Memory(backward_data_desc_.scratchpad_desc(), memory.scratch)}});
    }
    if (memory.input_gradients[1] != nullptr) BackwardWeights(memory, output_gradient, &stream);
  }

 private:
  InnerProductOp(const TrainingOpSpec& spec, const Geometry& geometry)
      : has_bias_(spec.inputs.size() == 3),
        forward_desc_(ForwardDesc(geometry)),
        backward_data_desc_(BackwardDataDesc(geometry, forward_desc_)),
        backward_weights_desc_(BackwardWeightsDesc(geometry, forward_desc_)),
        forward_(forward_desc_),
        backward_data_(backward_data_desc_),
        backward_weights_(backward_weights_desc_),
        forward_weights_(geometry.plain_weights, forward_desc_.weights_desc()),
        backward_data_weights_(geometry.plain_weights, backward_data_desc_.weights_desc()),
        weights_gradient_(backward_weights_desc_.diff_weights_desc(), geometry.plain_weights),
        bias_gradient_(TensorType{DType::kF32, {has_bias_ ? spec.output[1] : 0}}) {}

  void BackwardWeights(const OpMemory& memory, const dnnl::memory& output_gradient,
                       dnnl::stream* stream) {
    std::unordered_map<int, dnnl::memory> arguments{
        {DNNL_ARG_SRC, Memory(forward_desc_.src_desc(), memory.inputs[0])},
        {DNNL_ARG_DIFF_DST, output_gradient},
        {DNNL_ARG_DIFF_WEIGHTS, weights_gradient_.Target(memory.input_gradients[1])},
        {DNNL_ARG_SCRATCHPAD, Memory(backward_weights_desc_.scratchpad_desc(), memory.scratch)}};
    if (has_bias_) {
      float* const wanted = reinterpret_cast<float*>(memory.input_gradients[2]);
      float* const place = wanted != nullptr ? wanted : bias_gradient_.values<float>().data();
      arguments[DNNL_ARG_DIFF_BIAS] = Memory(forward_desc_.bias_desc(), place);
    }
    backward_weights_.execute(*stream, arguments);
    weights_gradient_.Unpack(memory.input_gradients[1], stream);
  }

  bool has_bias_;
  dnnl::inner_product_forward::primitive_desc forward_desc_;
  dnnl::inner_product_backward_data::primitive_desc backward_data_desc_;
  dnnl::inner_product_backward_weights::primitive_desc backward_weights_desc_;
  dnnl::inner_product_forward forward_;
  dnnl::inner_product_backward_data backward_data_;
  dnnl::inner_product_backward_weights backward_weights_;
  onednn::PackedWeights forward_weights_, backward_data_weights_;
  onednn::UnpackedGradient weights_gradient_;
  Tensor bias_gradient_;  // where nobody asks for it
};

}  // namespace

std::unique_ptr<TrainingOp> MakeOnednnInnerProduct(const TrainingOpSpec& spec) {
  if (const auto* gemm = std::get_if<Gemm>(&spec.op)) {
    const bool scaled = gemm->alpha != 1 || (gemm->beta != 1 && spec.inputs.size() == 3);
    if (gemm->transpose_a || scaled) {
      throw BadInput("a gemm with alpha, beta or a transposed first matrix cannot be trained");
    }
  }
  if (spec.inputs[0].shape.size() != 2 || spec.inputs[1].shape.size() != 2 ||
      spec.is_parameter[0] || !spec.is_parameter[1]) {
    throw BadInput(
        "only the product of an activation [batch, features] with constant weights can "
        "be trained");
  }
  if (spec.inputs.size() == 3 &&
      (!spec.is_parameter[2] || ElementCount(spec.inputs[2].shape) != spec.output[1])) {
    throw BadInput("only a constant bias with one value an output can be trained");
  }
  if (spec.inputs[0].dtype != DType::kF32) throw BadInput("its input is not f32");
  return std::make_unique<InnerProductOp>(spec);
}

}  // namespace fettle
