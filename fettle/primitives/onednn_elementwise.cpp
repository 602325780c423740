#include <variant>

#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/onednn_primitive.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// One input, one output of its type and shape, nothing fused: what oneDNN calls src and dst.
Support SameTypeSupport(const LayerSpec& spec) {
  if (Support support = OnednnSupportWithoutEpilogue(spec); !support) return support;
  if (spec.inputs.size() != 1 || !spec.weights.empty()) return Support::No("not one input");
  if (spec.inputs[0] != spec.output) return Support::No("output of another type");
  return Support::Yes();
}

// One input, in every layout.
class OnednnSameType : public OnednnPrimitive {
 protected:
  std::vector<OnednnForm> Forms(const LayerSpec& spec) const override {
    std::vector<OnednnForm> forms = OnednnForm::Uniform(spec, LayoutsOf(spec.output.shape));
    // LRN reads its neighbours' inputs after it has written its output.
    const bool may_replace = !std::holds_alternative<Lrn>(spec.op);
    for (OnednnForm& form : forms) {
      if (may_replace) form.in_place_input = 0;
    }
    return forms;
  }

  OnednnArguments Arguments(const LayerSpec&) const override { return {{DNNL_ARG_SRC}, {}, {}}; }
};

class OnednnEltwisePrimitive final : public OnednnSameType {
 public:
  std::string_view Name() const override { return "onednn.eltwise"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* activation = std::get_if<Activation>(&spec.op);
    if (activation == nullptr) return Support::No(Text(NameOf(spec.op), " is no activation"));
    if (OnednnEltwiseOf(*activation).size() != 1) {
      return Support::No("hard sigmoid: two operations of oneDNN's");
    }
    return SameTypeSupport(spec);
  }

 protected:
  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const OnednnEltwise eltwise = OnednnEltwiseOf(std::get<Activation>(spec.op))[0];
    const dnnl::eltwise_forward::desc desc(dnnl::prop_kind::forward_inference, eltwise.algorithm,
                                           OnednnDesc(spec.output, form.output), eltwise.alpha,
                                           eltwise.beta);
    return AllOf(dnnl::eltwise_forward::primitive_desc(desc, OnednnAttributes(), engine,
                                                       /*allow_empty=*/true));
  }
};

class OnednnSoftmax final : public OnednnSameType {
 public:
  std::string_view Name() const override { return "onednn.softmax"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* softmax = std::get_if<Softmax>(&spec.op);
    if (softmax == nullptr) return Support::No(Text(NameOf(spec.op), " is no softmax"));
    if (Support support = SameTypeSupport(spec); !support) return support;
    const auto rank = static_cast<int64_t>(spec.output.shape.size());
    if (softmax->axis < 0 || softmax->axis >= rank) {
      return Support::No(Text("axis=", softmax->axis, " of ", rank));
    }
    return Support::Yes();
  }

 protected:
  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const auto tensor = OnednnDesc(spec.output, form.output);
    const dnnl::softmax_v2_forward::desc desc(dnnl::prop_kind::forward_inference,
                                              dnnl::algorithm::softmax_accurate, tensor, tensor,
                                              static_cast<int>(std::get<Softmax>(spec.op).axis));
    return AllOf(dnnl::softmax_v2_forward::primitive_desc(desc, OnednnAttributes(), engine,
                                                          /*allow_empty=*/true));
  }
};

class OnednnLrn final : public OnednnSameType {
 public:
  std::string_view Name() const override { return "onednn.lrn"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* lrn = std::get_if<Lrn>(&spec.op);
    if (lrn == nullptr) return Support::No(Text(NameOf(spec.op), " is no lrn"));
    if (Support support = SameTypeSupport(spec); !support) return support;
    // ONNX's window of an even size reaches one further up than down; oneDNN's is symmetric.
    if (lrn->size < 1 || lrn->size % 2 == 0) {
      return Support::No(Text("size=", lrn->size, ": only odd sizes are supported"));
    }
    if (spec.output.shape.size() < 3) return Support::No("input without spatial axes");
    return Support::Yes();
  }

 protected:
  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const Lrn& lrn = std::get<Lrn>(spec.op);
    const dnnl::lrn_forward::desc desc(
        dnnl::prop_kind::forward_inference, dnnl::algorithm::lrn_across_channels,
        OnednnDesc(spec.output, form.output), lrn.size, lrn.alpha, lrn.beta, lrn.bias);
    return AllOf(dnnl::lrn_forward::primitive_desc(desc, OnednnAttributes(), engine,
                                                   /*allow_empty=*/true));
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOnednnEltwise() {
  return std::make_unique<OnednnEltwisePrimitive>();
}
std::unique_ptr<Primitive> MakeOnednnSoftmax() { return std::make_unique<OnednnSoftmax>(); }
std::unique_ptr<Primitive> MakeOnednnLrn() { return std::make_unique<OnednnLrn>(); }

}  // namespace fettle
