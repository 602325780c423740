#include <cmath>
#include <variant>

#include "fettle/primitives/onednn_primitive.h"
#include "fettle/primitives/primitive_families.h"
#include "fettle/primitives/resize_coordinates.h"

namespace fettle {
namespace {

// Where oneDNN looks for an output: pixels are squares, the scale is that of the extents.
float SourceOf(int64_t index, int64_t input, int64_t output) {
  return (static_cast<float>(index) + 0.5f) * static_cast<float>(input) /
             static_cast<float>(output) -
         0.5f;
}

// Whether oneDNN reads what the operator says along this axis: the many ways of rounding and of
// placing coordinates often come to the same.
bool Agrees(const Resize& resize, size_t axis, int64_t input) {
  constexpr double kTolerance = 1e-5;  // of a pixel; f32 arithmetic in another order
  const std::vector<ResizeTap> taps = ResizeTaps(resize, axis, input);
  const auto output = static_cast<int64_t>(taps.size());
  for (int64_t i = 0; i < output; ++i) {
    const ResizeTap& tap = taps[static_cast<size_t>(i)];
    double source = SourceOf(i, input, output);
    if (resize.mode == ResizeMode::kNearest) {
      // A source nearly half-way may be rounded either way where the arithmetic differs.
      const double rounded = std::round(source);
      if (std::abs(std::abs(source - std::trunc(source)) - 0.5) < kTolerance) return false;
      source = rounded;
    }
    source = std::clamp(source, 0.0, static_cast<double>(input - 1));
    const double expected =
        static_cast<double>(tap.low) + double{tap.weight} * static_cast<double>(tap.high - tap.low);
    if (std::abs(source - expected) > kTolerance) return false;
  }
  return true;
}

class OnednnResampling final : public OnednnPrimitive {
 public:
  std::string_view Name() const override { return "onednn.resampling"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* resize = std::get_if<Resize>(&spec.op);
    if (resize == nullptr) return Support::No(Text(NameOf(spec.op), " is no resize"));
    if (Support support = OnednnSupportWithoutEpilogue(spec); !support) return support;
    if (spec.inputs.size() != 1 || !spec.weights.empty()) return Support::No("not one input");
    const Shape &x = spec.inputs[0].shape, &y = spec.output.shape;
    if (x.size() < 3 || x.size() > 5 || y != resize->sizes || y.size() != x.size() ||
        resize->scales.size() != x.size()) {
      return Support::No("input of other than 3 to 5 axes, or sizes that do not fit");
    }
    if (spec.inputs[0].dtype != spec.output.dtype) return Support::No("output of another type");
    if (x[0] != y[0] || x[1] != y[1]) return Support::No("batch or channels resized");
    for (size_t axis = 0; axis < x.size(); ++axis) {
      if (!(resize->scales[axis] > 0)) return Support::No("scale that is not positive");
      if (!Agrees(*resize, axis, x[axis])) {
        return Support::No(Text("axis ", axis, ": oneDNN reads other pixels than the operator"));
      }
    }
    return Support::Yes();
  }

 protected:
  std::vector<dnnl::primitive_desc_base> Describe(const LayerSpec& spec, const OnednnForm& form,
                                                  const dnnl::engine& engine) const override {
    const bool is_nearest = std::get<Resize>(spec.op).mode == ResizeMode::kNearest;
    const dnnl::resampling_forward::desc desc(
        dnnl::prop_kind::forward_inference,
        is_nearest ? dnnl::algorithm::resampling_nearest : dnnl::algorithm::resampling_linear,
        OnednnDesc(spec.inputs[0], form.inputs[0]), OnednnDesc(spec.output, form.output));
    return AllOf(dnnl::resampling_forward::primitive_desc(desc, OnednnAttributes(), engine,
                                                          /*allow_empty=*/true));
  }

  OnednnArguments Arguments(const LayerSpec&) const override { return {{DNNL_ARG_SRC}, {}, {}}; }
};

}  // namespace

std::unique_ptr<Primitive> MakeOnednnResampling() { return std::make_unique<OnednnResampling>(); }

}  // namespace fettle
