#include "fettle/core/tensor.h"
#include "fettle/training/trainer/onednn_weights.h"
#include "fettle/training/trainer/training_op_list.h"

namespace fettle {
namespace {

using onednn::Memory;
using onednn::Tag;

// oneDNN's words for a convolution.
struct Geometry {
  explicit Geometry(const TrainingOpSpec& spec) : conv(std::get<Conv>(spec.op)) {
    source = onednn::ActivationDesc(spec.inputs[0]);
    destination = onednn::ActivationDesc({spec.inputs[0].dtype, spec.output});
    Shape dims = spec.inputs[1].shape;
    if (conv.groups > 1) {
      dims[0] /= conv.groups;
      dims.insert(dims.begin(), conv.groups);
    }
    constexpr Tag kTags[] = {Tag::abc, Tag::abcd, Tag::abcde};
    plain_weights = {dims, onednn::TypeOf(DType::kF32), kTags[dims.size() - 3]};
    any_weights = {dims, onednn::TypeOf(spec.inputs[0].dtype), Tag::any};
    any_gradient = {dims, onednn::TypeOf(DType::kF32), Tag::any};
    if (spec.inputs.size() == 3) {
      bias = {spec.inputs[2].shape, onednn::TypeOf(DType::kF32), Tag::a};
    }
    strides = conv.window.strides;
    for (const int64_t dilation : conv.window.dilations) dilations.push_back(dilation - 1);
    pads_begin = conv.window.pads_begin;
    pads_end = conv.window.pads_end;
  }

  const Conv& conv;
  dnnl::memory::desc source, destination, plain_weights, any_weights, any_gradient, bias;
  dnnl::memory::dims strides, dilations, pads_begin, pads_end;
};

constexpr auto kDirect = dnnl::algorithm::convolution_direct;

dnnl::convolution_forward::primitive_desc ForwardDesc(const Geometry& g) {
  const dnnl::convolution_forward::desc desc(dnnl::prop_kind::forward_training, kDirect, g.source,
                                             g.any_weights, g.bias, g.destination, g.strides,
                                             g.dilations, g.pads_begin, g.pads_end);
  return {desc, onednn::UserScratch(), onednn::Engine()};
}

dnnl::convolution_backward_data::primitive_desc BackwardDataDesc(
    const Geometry& g, const dnnl::convolution_forward::primitive_desc& forward) {
  const dnnl::convolution_backward_data::desc desc(kDirect, g.source, g.any_weights, g.destination,
                                                   g.strides, g.dilations, g.pads_begin,
                                                   g.pads_end);
  return {desc, onednn::UserScratch(), onednn::Engine(), forward};
}

dnnl::convolution_backward_weights::primitive_desc BackwardWeightsDesc(
    const Geometry& g, const dnnl::convolution_forward::primitive_desc& forward) {
  const dnnl::convolution_backward_weights::desc desc(kDirect, g.source, g.any_gradient, g.bias,
                                                      g.destination, g.strides, g.dilations,
                                                      g.pads_begin, g.pads_end);
  return {desc, onednn::UserScratch(), onednn::Engine(), forward};
}

class Convolution : public TrainingOp {
 public:
  explicit Convolution(const TrainingOpSpec& spec) : Convolution(spec, Geometry(spec)) {}

  DType OutputType() const override { return dtype_; }
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
    if (memory.input_gradients[0] != nullptr) BackwardData(memory, output_gradient, &stream);
    if (memory.input_gradients[1] != nullptr) BackwardWeights(memory, output_gradient, &stream);
  }

 private:
  Convolution(const TrainingOpSpec& spec, const Geometry& geometry)
      : dtype_(spec.inputs[0].dtype),
        has_bias_(spec.inputs.size() == 3),
        forward_desc_(ForwardDesc(geometry)),
        backward_data_desc_(BackwardDataDesc(geometry, forward_desc_)),
        backward_weights_desc_(BackwardWeightsDesc(geometry, forward_desc_)),
        forward_(forward_desc_),
        backward_data_(backward_data_desc_),
        backward_weights_(backward_weights_desc_),
        forward_weights_(geometry.plain_weights, forward_desc_.weights_desc()),
        backward_data_weights_(geometry.plain_weights, backward_data_desc_.weights_desc()),
        weights_gradient_(backward_weights_desc_.diff_weights_desc(), geometry.plain_weights),
        bias_gradient_(has_bias_ ? spec.inputs[2] : TensorType{DType::kF32, {0}}) {}

  void BackwardData(const OpMemory& memory, const dnnl::memory& output_gradient,
                    dnnl::stream* stream) {
    backward_data_.execute(
        *stream,
        {{DNNL_ARG_DIFF_DST, output_gradient},
         {DNNL_ARG_WEIGHTS, backward_data_weights_.Pack(memory.inputs[1], stream)},
         {DNNL_ARG_DIFF_SRC, Memory(forward_desc_.src_desc(), memory.input_gradients[0])},
         {DNNL_ARG_SCRATCHPAD, Memory(backward_data_desc_.scratchpad_desc(), memory.scratch)}});
  }

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

  DType dtype_;
  bool has_bias_;
  dnnl::convolution_forward::primitive_desc forward_desc_;
  dnnl::convolution_backward_data::primitive_desc backward_data_desc_;
  dnnl::convolution_backward_weights::primitive_desc backward_weights_desc_;
  dnnl::convolution_forward forward_;
  dnnl::convolution_backward_data backward_data_;
  dnnl::convolution_backward_weights backward_weights_;
  onednn::PackedWeights forward_weights_, backward_data_weights_;
  onednn::UnpackedGradient weights_gradient_;
  Tensor bias_gradient_;  // where nobody asks for it
};

}  // namespace

std::unique_ptr<TrainingOp> MakeOnednnConvolution(const TrainingOpSpec& spec) {
  for (size_t i = 1; i < spec.inputs.size(); ++i) {
    if (!spec.is_parameter[i]) throw BadInput("weights that are computed cannot be trained");
  }
  return std::make_unique<Convolution>(spec);
}

}  // namespace fettle
