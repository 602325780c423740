#include <algorithm>

#include "fettle/primitives/own_gemm.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// A convolution in channels-last layout as a matrix product: a row is what the window of one output
// covers, [ky, kx, channels of the group], zeros outside the input.
struct Im2Col {
  WindowPlane plane;
  int64_t inputs, outputs;  // channels of all groups
  int64_t group_inputs, group_outputs;
  std::vector<PackedWeights> filters;  // of each group
  std::vector<float> bias;
};

// Writes `count` elements of the row of output `row`, of group `group`, from element `first` on.
template <typename T>
inline void MakeWindow(const Im2Col& layer, const T* x, int64_t group, int64_t row, int64_t first,
                       int64_t count, float* to) {
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t ox = row % xa.output, oy = row / xa.output % ya.output;
  const T* image = x + row / (xa.output * ya.output) * ya.input * xa.input * layer.inputs +
                   group * layer.group_inputs;
  int64_t tap = first / layer.group_inputs, channel = first % layer.group_inputs;
  while (count > 0) {
    const int64_t iy = oy * ya.stride + ya.Offset(tap / xa.kernel);
    const int64_t ix = ox * xa.stride + xa.Offset(tap % xa.kernel);
    const int64_t length = std::min(layer.group_inputs - channel, count);
    if (iy >= 0 && iy < ya.input && ix >= 0 && ix < xa.input) {
      WidenRow(image + (iy * xa.input + ix) * layer.inputs + channel, length, to);
    } else {
      std::fill_n(to, length, 0.0f);
    }
    to += length;
    count -= length;
    channel = 0;
    ++tap;
  }
}

Im2Col LayerOf(const LayerSpec& spec, const Target& target,
               std::span<const Tensor* const> weights) {
  const auto& op = std::get<Conv>(spec.op);
  Im2Col layer{PlaneOf(op.window, spec.inputs[0].shape, spec.output.shape),
               spec.inputs[0].shape[1],
               spec.output.shape[1],
               spec.inputs[0].shape[1] / op.groups,
               spec.output.shape[1] / op.groups,
               {},
               {}};
  const std::vector<float> filters = WidenedValues(*weights[0]);
  const int64_t taps = layer.plane.y.kernel * layer.plane.x.kernel;
  for (int64_t group = 0; group < op.groups; ++group) {
    layer.filters.push_back(PackWeights(
        taps * layer.group_inputs, layer.group_outputs, spec.weights[0].dtype, target,
        [&](int64_t k, int64_t n) {
          const int64_t filter = group * layer.group_outputs + n;
          const int64_t channel = k % layer.group_inputs, tap = k / layer.group_inputs;
          return filters[static_cast<size_t>((filter * layer.group_inputs + channel) * taps + tap)];
        }));
  }
  if (weights.size() > 1) layer.bias = WidenedValues(*weights[1]);
  layer.bias.resize(static_cast<size_t>(layer.outputs), 0);
  return layer;
}

template <typename T, typename W>
void RunGroup(const Target& target, const Im2Col& layer, const GemmPlan& plan, int64_t group,
              const T* x, const Epilogue<T>& epilogue, std::byte* workspace) {
  const auto make_row = [&](int64_t row, int64_t first, int64_t count, float* to) {
    MakeWindow(layer, x, group, row, first, count, to);
  };
  const auto finish = [&](int64_t row, int64_t column, int64_t count, float* values) {
    const int64_t channel = group * layer.group_outputs + column;
    const float* bias = layer.bias.data() + channel;
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) values[i] += bias[i];
    epilogue.Store(values, count, row * layer.outputs + channel);
  };
  RunGemm<W>(target, plan, layer.filters[static_cast<size_t>(group)], workspace, make_row, finish);
}

// Every convolution, with f32 or bf16 storage, on every CPU.
class OwnIm2ColConv : public Primitive {
 public:
  std::string_view Name() const override { return "own.im2col_conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (Support constant = RequireConstantConv(spec); !constant) return constant;
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return {InLayout(Name(), spec, Layout::kChannelsLast)};
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation&,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    Im2Col prepared = LayerOf(spec, target, weights);
    const WindowPlane& plane = prepared.plane;
    const GemmPlan plan = PlanGemm(spec.output.shape[0] * plane.y.output * plane.x.output,
                                   prepared.filters[0], target);
    const size_t weight_bytes = prepared.filters.size() * prepared.filters[0].data.size() +
                                prepared.bias.size() * sizeof(float);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      return VisitFloat(spec.weights[0].dtype, [&](auto weight_type) {
        using T = decltype(type);
        using W = decltype(weight_type);
        return MakeKernel(
            [=, layer = prepared](KernelInputs inputs, std::byte* output, std::byte* workspace) {
              const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
              const auto groups = static_cast<int64_t>(layer.filters.size());
              for (int64_t group = 0; group < groups; ++group) {
                RunGroup<T, W>(target, layer, plan, group, As<T>(inputs[0]), epilogue, workspace);
              }
            },
            plan.workspace_bytes, weight_bytes);
      });
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnIm2ColConv() { return std::make_unique<OwnIm2ColConv>(); }

}  // namespace fettle
