#include <variant>

#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/onednn_primitive.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

constexpr std::string_view kWinograd = "winograd";

// oneDNN counts the gaps that a dilation makes.
dnnl::memory::dims Gaps(const std::vector<int64_t>& dilations) {
  dnnl::memory::dims gaps = dilations;
  for (auto& gap : gaps) --gap;
  return gaps;
}

// [T, S/groups, ...] as [groups, T/groups, S/groups, ...], which lies in memory the same.
TensorType GroupedWeights(const LayerSpec& spec) {
  TensorType type = spec.weights[0];
  const int64_t groups = std::get<Conv>(spec.op).groups;
  if (groups == 1) return type;
  type.shape[0] /= groups;
  type.shape.insert(type.shape.begin(), groups);
  return type;
}

class OnednnConv final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (Support support = ConvShapeSupport(spec); !support) return support;
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
  // What the implementations know: one layout throughout, or a plain input of few channels and a
  // blocked output. Asking for `any` format names no other.
  std::vector<OnednnForm> Forms(const LayerSpec& spec) const override {
    const std::vector<Layout> layouts = LayoutsOf(spec.output.shape);
    std::vector<OnednnForm> forms = OnednnForm::Uniform(spec, layouts);
    for (Layout output : {Layout::kBlocked8, Layout::kBlocked16}) {
      OnednnForm form = OnednnForm::Uniform(spec, output);
      form.inputs[0] = Layout::kPlain;
      forms.push_back(form);
    }
    if (spec.inputs[0].dtype == DType::kF32) {
      for (OnednnForm& form : OnednnForm::Uniform(spec, layouts)) {
        form.algorithm = kWinograd;
        forms.push_back(form);
      }
    }
    return forms;
  }

  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    using dnnl::algorithm;
    const Window& window = std::get<Conv>(spec.op).window;
    const auto method = form.algorithm == kWinograd ? algorithm::convolution_winograd
                                                    : algorithm::convolution_direct;
    const dnnl::memory::desc bias =
        spec.weights.size() == 2 ? OnednnAnyDesc(spec.weights[1]) : dnnl::memory::desc();
    const dnnl::convolution_forward::desc desc(
        dnnl::prop_kind::forward_inference, method, OnednnDesc(spec.inputs[0], form.inputs[0]),
        OnednnAnyDesc(GroupedWeights(spec)), bias, OnednnDesc(spec.output, form.output),
        window.strides, Gaps(window.dilations), window.pads_begin, window.pads_end);
    return AllOf(dnnl::convolution_forward::primitive_desc(desc, OnednnEpilogue(spec), engine,
                                                           /*allow_empty=*/true));
  }

  OnednnArguments Arguments(const LayerSpec& spec) const override {
    OnednnArguments arguments{{DNNL_ARG_SRC},
                              {DNNL_ARG_WEIGHTS},
                              {OnednnDesc(GroupedWeights(spec), Layout::kPlain)}};
    if (spec.weights.size() == 2) {
      arguments.weights.push_back(DNNL_ARG_BIAS);
      arguments.weight_forms.push_back(OnednnDesc(spec.weights[1], Layout::kPlain));
    }
    return arguments;
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOnednnConv() { return std::make_unique<OnednnConv>(); }

}  // namespace fettle
