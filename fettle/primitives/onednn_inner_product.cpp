#include <variant>

#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/matrix_shape.h"
#include "fettle/primitives/onednn_primitive.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

class OnednnInnerProduct final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.inner_product"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<InnerProduct>(spec.op)) {
      return Support::No(Text(NameOf(spec.op), " is no inner product"));
    }
    if (Support support = MatrixShapeSupport(spec); !support) return support;
    if (NumOperatorInputs(spec) != 1) return Support::No("weights that are no constants");
    if (Support support = OnednnTensorSupport(spec); !support) return support;
    const DType in = spec.inputs[0].dtype, out = spec.output.dtype;
    if (spec.weights[0].dtype != in) return Support::No("weights of another type than the input's");
    if (in == DType::kF32 && out != in) return Support::No("f32 can only become f32");
    if (spec.weights.size() == 2 && in == DType::kF32 && spec.weights[1].dtype != in) {
      return Support::No("bias of another type than the input's");
    }
    return Support::Yes();
  }

 protected:
  std::vector<OnednnForm> Forms(const LayerSpec& spec) const override {
    return {OnednnForm::Uniform(spec, Layout::kPlain)};
  }

  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const dnnl::memory::desc bias =
        spec.weights.size() == 2 ? OnednnAnyDesc(spec.weights[1]) : dnnl::memory::desc();
    const dnnl::inner_product_forward::desc desc(
        dnnl::prop_kind::forward_inference, OnednnDesc(spec.inputs[0], form.inputs[0]),
        OnednnAnyDesc(spec.weights[0]), bias, OnednnDesc(spec.output, form.output));
    return AllOf(dnnl::inner_product_forward::primitive_desc(desc, OnednnEpilogue(spec), engine,
                                                             /*allow_empty=*/true));
  }

  OnednnArguments Arguments(const LayerSpec& spec) const override {
    OnednnArguments arguments{
        {DNNL_ARG_SRC}, {DNNL_ARG_WEIGHTS}, {OnednnDesc(spec.weights[0], Layout::kPlain)}};
    if (spec.weights.size() == 2) {
      arguments.weights.push_back(DNNL_ARG_BIAS);
      arguments.weight_forms.push_back(OnednnDesc(spec.weights[1], Layout::kPlain));
    }
    return arguments;
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOnednnInnerProduct() {
  return std::make_unique<OnednnInnerProduct>();
}

}  // namespace fettle
