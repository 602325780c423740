#include "fettle/primitives/onednn_engine.h"

#include <cassert>

namespace fettle {
namespace {

using Tag = dnnl::memory::format_tag;

constexpr size_t kMostAxes = 6;  // plain tensors of more have no tag that every primitive knows

Tag TagOf(size_t rank, Layout layout) {
  constexpr Tag kPlain[] = {Tag::a, Tag::a, Tag::ab, Tag::abc, Tag::abcd, Tag::abcde, Tag::abcdef};
  constexpr Tag kChannelsLast[] = {Tag::acb, Tag::acdb, Tag::acdeb};
  constexpr Tag kBlocked8[] = {Tag::aBc8b, Tag::aBcd8b, Tag::aBcde8b};
  constexpr Tag kBlocked16[] = {Tag::aBc16b, Tag::aBcd16b, Tag::aBcde16b};
  assert(rank <= kMostAxes);
  if (layout == Layout::kPlain) return kPlain[rank];
  assert(rank >= 3 && rank <= 5);
  switch (layout) {
    case Layout::kChannelsLast:
      return kChannelsLast[rank - 3];
    case Layout::kBlocked8:
      return kBlocked8[rank - 3];
    default:
      return kBlocked16[rank - 3];
  }
}

// A scalar has no axis for us and one of extent 1 for oneDNN.
dnnl::memory::dims DimsOf(const Shape& shape) { return shape.empty() ? Shape{1} : shape; }

Support TensorSupport(const TensorType& type) {
  if (!IsFloat(type.dtype)) {
    return Support::No(Text("type ", NameOf(type.dtype), ": only f32 and bf16 are supported"));
  }
  if (ElementCount(type) == 0) return Support::No(Text("empty tensor ", TypeText(type)));
  if (type.shape.size() > kMostAxes) {
    return Support::No(Text(TypeText(type), ": more than ", kMostAxes, " axes"));
  }
  return Support::Yes();
}

}  // namespace

dnnl::engine OnednnEngine() { return {dnnl::engine::kind::cpu, 0}; }

dnnl::memory::data_type OnednnType(DType dtype) {
  assert(IsFloat(dtype));
  return dtype == DType::kF32 ? dnnl::memory::data_type::f32 : dnnl::memory::data_type::bf16;
}

dnnl::memory::desc OnednnDesc(const TensorType& type, Layout layout) {
  return {DimsOf(type.shape), OnednnType(type.dtype), TagOf(type.shape.size(), layout)};
}

dnnl::memory::desc OnednnAnyDesc(const TensorType& type) {
  return {DimsOf(type.shape), OnednnType(type.dtype), Tag::any};
}

std::vector<Layout> LayoutsOf(const Shape& shape) {
  if (shape.size() < 3 || shape.size() > 5) return {Layout::kPlain};
  return {Layout::kPlain, Layout::kChannelsLast, Layout::kBlocked8, Layout::kBlocked16};
}

Support OnednnTensorSupport(const LayerSpec& spec) {
  if (spec.adds_residual && spec.inputs.empty()) return Support::No("residual without an input");
  for (const auto* types : {&spec.inputs, &spec.weights}) {
    for (const TensorType& type : *types) {
      if (Support support = TensorSupport(type); !support) return support;
    }
  }
  return TensorSupport(spec.output);
}

Support OnednnSupportWithoutEpilogue(const LayerSpec& spec) {
  if (spec.adds_residual) return Support::No("no residual can be fused");
  if (spec.activation) return Support::No("no activation can be fused");
  return OnednnTensorSupport(spec);
}

std::vector<OnednnEltwise> OnednnEltwiseOf(const Activation& activation) {
  using dnnl::algorithm;
  const float alpha = activation.alpha, beta = activation.beta;
  switch (activation.kind) {
    case ActivationKind::kRelu:
      return {{algorithm::eltwise_relu}};
    case ActivationKind::kClip:
      return {{algorithm::eltwise_clip, alpha, beta}};
    case ActivationKind::kLeakyRelu:
      return {{algorithm::eltwise_relu, alpha}};
    case ActivationKind::kSigmoid:
      return {{algorithm::eltwise_logistic}};
    case ActivationKind::kHardSigmoid:
      return {{algorithm::eltwise_linear, alpha, beta}, {algorithm::eltwise_clip, 0, 1}};
    case ActivationKind::kHardSwish:
      return {{algorithm::eltwise_hardswish}};
    case ActivationKind::kTanh:
      return {{algorithm::eltwise_tanh}};
  }
  assert(false);
  return {};
}

dnnl::primitive_attr OnednnAttributes() {
  dnnl::primitive_attr attributes;
  attributes.set_scratchpad_mode(dnnl::scratchpad_mode::user);
  return attributes;
}

void AppendActivation(const LayerSpec& spec, dnnl::post_ops* operations) {
  if (!spec.activation) return;
  for (const OnednnEltwise& eltwise : OnednnEltwiseOf(*spec.activation)) {
    operations->append_eltwise(1, eltwise.algorithm, eltwise.alpha, eltwise.beta);
  }
}

dnnl::primitive_attr OnednnEpilogue(const LayerSpec& spec) {
  dnnl::post_ops operations;
  if (spec.adds_residual) operations.append_sum(1);
  AppendActivation(spec, &operations);
  dnnl::primitive_attr attributes = OnednnAttributes();
  attributes.set_post_ops(operations);
  return attributes;
}

}  // namespace fettle
