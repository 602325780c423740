#include <algorithm>
#include <variant>

#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/onednn_primitive.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

TensorType Padded(TensorType type, size_t rank) {
  type.shape.insert(type.shape.begin(), rank - type.shape.size(), 1);
  return type;
}

// Two operands, one of the output's shape and the other broadcast to it, with axes of extent 1.
class OnednnBinary final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.binary"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* binary = std::get_if<Binary>(&spec.op);
    if (binary == nullptr) return Support::No(Text(NameOf(spec.op), " is no binary operation"));
    if (Support support = OnednnTensorSupport(spec); !support) return support;
    const std::vector<TensorType> operands = OperandTypes(spec);
    if (operands.size() != 2) return Support::No("not two operands");
    if (spec.adds_residual && spec.inputs.back() != spec.output) {
      return Support::No("residual of another type than the output's");
    }
    for (const TensorType& operand : operands) {
      if (operand.dtype != spec.output.dtype) return Support::No("operands of several types");
      if (!FitsInto(operand.shape, spec.output.shape)) {
        return Support::No("operands that do not fit the output");
      }
    }
    const size_t first = FirstOperand(spec);
    if (operands[first].shape != spec.output.shape) {
      return Support::No("no operand that the other is broadcast to");
    }
    const bool is_swapped = first == 1;
    if (is_swapped && (binary->kind == BinaryKind::kSub || binary->kind == BinaryKind::kDiv)) {
      return Support::No("first operand broadcast: oneDNN broadcasts the second only");
    }
    return Support::Yes();
  }

 protected:
  std::vector<OnednnForm> Forms(const LayerSpec& spec) const override {
    std::vector<OnednnForm> forms;
    for (Layout layout : LayoutsOf(spec.output.shape)) {
      // In blocked layouts oneDNN 2.6.3's only implementation (jit:uni) is wrong with anything
      // fused (it writes beyond the output, too) and, where channels are padded, in place.
      const bool is_blocked = BlockOf(layout) > 1;
      if (is_blocked && HasEpilogue(spec)) continue;
      forms.push_back(OnednnForm::Uniform(spec, layout));
      OnednnForm& form = forms.back();
      for (size_t i = 0; i < NumOperatorInputs(spec); ++i) {
        // Its axes are the output's last ones: its axis 1 is another.
        if (spec.inputs[i].shape.size() < spec.output.shape.size()) form.inputs[i] = Layout::kPlain;
      }
      const size_t first = FirstOperand(spec);
      const bool may_replace = !is_blocked && !spec.adds_residual;
      if (may_replace && first < NumOperatorInputs(spec)) form.in_place_input = first;
    }
    return forms;
  }

  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const size_t first = FirstOperand(spec);
    const dnnl::binary::desc desc(AlgorithmOf(spec), OperandDesc(spec, form, first),
                                  OperandDesc(spec, form, 1 - first),
                                  OnednnDesc(spec.output, form.output));
    return AllOf(dnnl::binary::primitive_desc(desc, OnednnEpilogue(spec), engine,
                                              /*allow_empty=*/true));
  }

  OnednnArguments Arguments(const LayerSpec& spec) const override {
    const size_t first = FirstOperand(spec);
    OnednnArguments arguments;
    for (size_t i = 0; i < 2; ++i) {
      const int place = i == first ? DNNL_ARG_SRC_0 : DNNL_ARG_SRC_1;
      if (i < NumOperatorInputs(spec)) {
        arguments.inputs.push_back(place);
      } else {
        arguments.weights.push_back(place);
        arguments.weight_forms.push_back(
            OnednnDesc(Padded(OperandTypes(spec)[i], spec.output.shape.size()), Layout::kPlain));
      }
    }
    return arguments;
  }

 private:
  static bool FitsInto(const Shape& shape, const Shape& output) {
    if (shape.size() > output.size()) return false;
    return std::equal(shape.rbegin(), shape.rend(), output.rbegin(),
                      [](int64_t extent, int64_t whole) { return extent == 1 || extent == whole; });
  }

  // The operand of the output's shape, which oneDNN wants first.
  static size_t FirstOperand(const LayerSpec& spec) {
    return OperandTypes(spec)[0].shape == spec.output.shape ? 0 : 1;
  }

  static dnnl::algorithm AlgorithmOf(const LayerSpec& spec) {
    switch (std::get<Binary>(spec.op).kind) {
      case BinaryKind::kAdd:
        return dnnl::algorithm::binary_add;
      case BinaryKind::kSub:
        return dnnl::algorithm::binary_sub;
      case BinaryKind::kMul:
        return dnnl::algorithm::binary_mul;
      default:
        return dnnl::algorithm::binary_div;
    }
  }

  // An activation as the form says; a constant is packed as the output lies.
  static dnnl::memory::desc OperandDesc(const LayerSpec& spec, const OnednnForm& form, size_t i) {
    const Layout layout = i < NumOperatorInputs(spec) ? form.inputs[i] : form.output;
    return OnednnDesc(Padded(OperandTypes(spec)[i], spec.output.shape.size()), layout);
  }
};

// The sum of two or more tensors of one type.
class OnednnSum final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.sum"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<Sum>(spec.op)) {
      return Support::No(Text(NameOf(spec.op), " is no sum"));
    }
    if (Support support = OnednnSupportWithoutEpilogue(spec); !support) return support;
    if (spec.inputs.size() < 2 || !spec.weights.empty()) {
      return Support::No("fewer than two inputs, or constants");
    }
    for (const TensorType& input : spec.inputs) {
      if (input != spec.output) return Support::No("inputs of several types");
    }
    return Support::Yes();
  }

 protected:
  bool OffersChoice() const override { return false; }

  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const auto tensor = OnednnDesc(spec.output, form.output);
    return {dnnl::sum::primitive_desc(tensor, std::vector<float>(spec.inputs.size(), 1),
                                      std::vector(spec.inputs.size(), tensor), engine,
                                      OnednnAttributes())};
  }

  OnednnArguments Arguments(const LayerSpec& spec) const override {
    OnednnArguments arguments;
    for (size_t i = 0; i < spec.inputs.size(); ++i) {
      arguments.inputs.push_back(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i));
    }
    return arguments;
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOnednnBinary() { return std::make_unique<OnednnBinary>(); }
std::unique_ptr<Primitive> MakeOnednnSum() { return std::make_unique<OnednnSum>(); }

}  // namespace fettle
