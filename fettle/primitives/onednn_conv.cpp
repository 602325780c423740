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

bool MayReadPaddingOnly(const WindowAxis& axis) {
  const int64_t last = axis.kernel - 1;
  return axis.Offset(last) < 0 || axis.Offset(0) + (axis.output - 1) * axis.stride >= axis.input;
}

// A tile's rows are the largest divisor of an image's pixels that is at most 16.
int64_t AmxTiles(const ConvShape& shape) {
  const int64_t pixels = shape.output_pixels();
  int64_t rows = 16;
  while (pixels % rows != 0) --rows;
  return pixels / rows;
}

class OnednnConv final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (Support support = ConvShapeSupport(spec); !support) return support;
    if (Support support = OnednnTensorSupport(spec); !support) return support;
    const ConvShape shape = ConvShapeOf(spec);
    if (MayReadPaddingOnly(shape.plane.y) || MayReadPaddingOnly(shape.plane.x)) {
      return Support::No("a window may lie in the padding only: oneDNN 2.6.3's brgconv crashes");
    }
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

  // What oneDNN 2.6.3 offers and the agreement tests have found to be wrong.
  bool IsSound(const LayerSpec& spec, const OnednnForm& form,
               std::string_view name) const override {
    const ConvShape shape = ConvShapeOf(spec);
    // Crashes where it adds to channels that fill no block.
    if (name == "jit_dw:sse41") return !spec.adds_residual || shape.out_channels % 8 == 0;
    // Reads the channels in pairs, and past the end of an odd number of them.
    if (name.starts_with("jit_bf16_1x1")) {
      return form.inputs[0] != Layout::kChannelsLast || shape.group_inputs() % 2 == 0;
    }
    // Computes tiles of rows in pairs, and of three a fourth, past the end of the output (at least
    // where the input channels fill their blocks).
    if (name.starts_with("jit_1x1:avx512_core_amx")) return AmxTiles(shape) != 3;
    // Cannot be made (status 5) with the longer activations on half of a register.
    if (name.starts_with("jit_bf16") && form.output == Layout::kBlocked8) {
      return !spec.activation || (spec.activation->kind != ActivationKind::kSigmoid &&
                                  spec.activation->kind != ActivationKind::kTanh);
    }
    return true;
  }

  OnednnArguments Arguments(const LayerSpec& spec) const override {
    OnednnArguments arguments{
        {DNNL_ARG_SRC}, {DNNL_ARG_WEIGHTS}, {OnednnDesc(GroupedWeights(spec), Layout::kPlain)}};
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
