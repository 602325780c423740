// The operators of oneDNN's that compute nothing: concat and reorder.
#include <variant>

#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/onednn_primitive.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

class OnednnConcat final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.concat"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* concat = std::get_if<Concat>(&spec.op);
    if (concat == nullptr) return Support::No(Text(NameOf(spec.op), " is no concat"));
    if (Support support = OnednnSupportWithoutEpilogue(spec); !support) return support;
    if (spec.inputs.empty() || !spec.weights.empty()) {
      return Support::No("no inputs, or constants");
    }
    const Shape& output = spec.output.shape;
    const auto axis = static_cast<size_t>(concat->axis);
    if (concat->axis < 0 || axis >= output.size()) {
      return Support::No(Text("axis=", concat->axis, " of ", output.size()));
    }
    int64_t extent = 0;
    for (const TensorType& input : spec.inputs) {
      if (input.dtype != spec.output.dtype || input.shape.size() != output.size()) {
        return Support::No("inputs of several types");
      }
      Shape resized = input.shape;
      extent += resized[axis];
      resized[axis] = output[axis];
      if (resized != output) return Support::No("inputs that do not fit the output");
    }
    if (extent != output[axis]) return Support::No("inputs that do not fit the output");
    return Support::Yes();
  }

 protected:
  bool OffersChoice() const override { return false; }

  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    std::vector<dnnl::memory::desc> sources;
    for (const TensorType& input : spec.inputs) sources.push_back(OnednnDesc(input, form.output));
    return {dnnl::concat::primitive_desc(OnednnDesc(spec.output, form.output),
                                         static_cast<int>(std::get<Concat>(spec.op).axis), sources,
                                         engine, OnednnAttributes())};
  }

  OnednnArguments Arguments(const LayerSpec& spec) const override {
    OnednnArguments arguments;
    for (size_t i = 0; i < spec.inputs.size(); ++i) {
      arguments.inputs.push_back(DNNL_ARG_MULTIPLE_SRC + static_cast<int>(i));
    }
    return arguments;
  }
};

// Between any two layouts, f32 and bf16; a cast between these in each layout.
class OnednnReorder final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.reorder"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<Reorder>(spec.op) && !std::holds_alternative<Cast>(spec.op)) {
      return Support::No(Text(NameOf(spec.op), " is neither reorder nor cast"));
    }
    if (Support support = OnednnSupportWithoutEpilogue(spec); !support) return support;
    if (spec.inputs.size() != 1 || !spec.weights.empty()) return Support::No("not one input");
    if (spec.inputs[0].shape != spec.output.shape) return Support::No("output of another shape");
    return Support::Yes();
  }

 protected:
  bool OffersChoice() const override { return false; }

  std::vector<OnednnForm> Forms(const LayerSpec& spec) const override {
    const std::vector<Layout> layouts = LayoutsOf(spec.output.shape);
    if (std::holds_alternative<Cast>(spec.op)) return OnednnForm::Uniform(spec, layouts);
    std::vector<OnednnForm> forms;
    for (Layout from : layouts) {
      for (Layout to : layouts) {
        forms.push_back(OnednnForm::Uniform(spec, to));
        forms.back().inputs = {from};
      }
    }
    return forms;
  }

  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    return {dnnl::reorder::primitive_desc(engine, OnednnDesc(spec.inputs[0], form.inputs[0]),
                                          engine, OnednnDesc(spec.output, form.output),
                                          OnednnAttributes())};
  }

  OnednnArguments Arguments(const LayerSpec&) const override { return {{DNNL_ARG_SRC}, {}, {}}; }
};

}  // namespace

std::unique_ptr<Primitive> MakeOnednnConcat() { return std::make_unique<OnednnConcat>(); }
std::unique_ptr<Primitive> MakeOnednnReorder() { return std::make_unique<OnednnReorder>(); }

}  // namespace fettle
