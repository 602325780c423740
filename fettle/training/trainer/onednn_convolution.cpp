#include "fettle/training/trainer/onednn_weighted_op.h"
#include "fettle/training/trainer/training_op_list.h"

namespace fettle {
namespace {

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

using Convolution = onednn::WeightedOp<dnnl::convolution_forward, dnnl::convolution_backward_data,
                                       dnnl::convolution_backward_weights>;

}  // namespace

std::unique_ptr<TrainingOp> MakeOnednnConvolution(const TrainingOpSpec& spec) {
  for (size_t i = 1; i < spec.inputs.size(); ++i) {
    if (!spec.is_parameter[i]) throw BadInput("weights that are computed cannot be trained");
  }
  const Geometry geometry(spec);
  const auto forward = ForwardDesc(geometry);
  return std::make_unique<Convolution>(
      spec.inputs[0].dtype, spec.inputs.size() == 3,
      Convolution::Descriptions{forward, BackwardDataDesc(geometry, forward),
                                BackwardWeightsDesc(geometry, forward), geometry.plain_weights});
}

}  // namespace fettle
