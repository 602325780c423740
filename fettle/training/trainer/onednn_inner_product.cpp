#include <cassert>

#include "fettle/training/trainer/onednn_weighted_op.h"
#include "fettle/training/trainer/training_op_list.h"

namespace fettle {
namespace {

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

using InnerProductOp =
    onednn::WeightedOp<dnnl::inner_product_forward, dnnl::inner_product_backward_data,
                       dnnl::inner_product_backward_weights>;

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
  const Geometry geometry(spec);
  const auto forward = ForwardDesc(geometry);
  return std::make_unique<InnerProductOp>(
      DType::kF32, spec.inputs.size() == 3,
      InnerProductOp::Descriptions{forward, BackwardDataDesc(geometry, forward),
                                   BackwardWeightsDesc(geometry, forward), geometry.plain_weights});
}

}  // namespace fettle
