#include <algorithm>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/own_vector.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// Outputs along a row that are held in registers together.
constexpr int kOutputs = 4;

struct Depthwise {
  WindowPlane plane;
  ChannelView input, output;
  int64_t channels;            // with padding
  std::vector<float> filters;  // [tap][channel]
  std::vector<float> bias;     // [channel]
};

// kCount neighbouring outputs, whose taps all lie inside, of kLanes channels from `channel`.
// x: the input's plane at those channels; row: the output's row at the first output.
template <int kLanes, int kCount, typename T>
inline void ComputeOutputs(const Depthwise& layer, const T* x, int64_t channel, int64_t oy,
                           TapRange y_taps, int64_t ox, TapRange x_taps, float* row) {
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t lanes = layer.input.lanes;
  Vector<kLanes> sums[kCount];
  for (int i = 0; i < kCount; ++i) LoadVector<kLanes>(layer.bias.data() + channel, &sums[i]);
  for (int64_t ky = y_taps.first; ky < y_taps.last; ++ky) {
    const T* line = x + (oy * ya.stride + ya.Offset(ky)) * xa.input * lanes;
    for (int64_t kx = x_taps.first; kx < x_taps.last; ++kx) {
      Vector<kLanes> filter;
      LoadVector<kLanes>(layer.filters.data() + (ky * xa.kernel + kx) * layer.channels + channel,
                         &filter);
      const T* from = line + (ox * xa.stride + xa.Offset(kx)) * lanes;
      for (int i = 0; i < kCount; ++i) {
        Vector<kLanes> value;
        LoadVector<kLanes>(from + i * xa.stride * lanes, &value);
        sums[i] += value * filter;
      }
    }
  }
  for (int i = 0; i < kCount; ++i) StoreVector<kLanes>(sums[i], row + i * lanes);
}

// One row of outputs of kLanes channels.
template <int kLanes, typename T>
inline void ComputeRow(const Depthwise& layer, const T* x, int64_t channel, int64_t oy,
                       float* row) {
  const WindowAxis& axis = layer.plane.x;
  const int64_t lanes = layer.input.lanes;
  const TapRange y_taps = layer.plane.y.TapsInside(oy), all{0, axis.kernel};
  // In between, every tap lies inside.
  const int64_t begin = axis.FirstOutput(0);
  const int64_t end = std::max(begin, axis.LastOutput(axis.kernel - 1));
  for (int64_t ox = 0; ox < axis.output;) {
    float* to = row + ox * lanes;
    if (ox >= begin && ox + kOutputs <= end) {
      ComputeOutputs<kLanes, kOutputs>(layer, x, channel, oy, y_taps, ox, all, to);
      ox += kOutputs;
    } else {
      const TapRange x_taps = axis.TapsInside(ox);
      ComputeOutputs<kLanes, 1>(layer, x, channel, oy, y_taps, ox, x_taps, to);
      ox += 1;
    }
  }
}

// One row of outputs of a group: `index` counts images, groups and rows. `row` is scratch.
template <typename T>
inline void ComputeGroupRow(const Depthwise& layer, int64_t index, const T* x, float* row,
                            const Epilogue<T>& epilogue) {
  const int64_t oy = index % layer.plane.y.output, plane = index / layer.plane.y.output;
  const int64_t lanes = layer.input.lanes;
  const int64_t channel = plane % layer.input.groups * lanes;
  const T* from = x + plane * layer.input.space * lanes;
  int64_t lane = 0;
  for (; lane + 16 <= lanes; lane += 16) {
    ComputeRow<16>(layer, from + lane, channel + lane, oy, row + lane);
  }
  for (; lane + 8 <= lanes; lane += 8) {
    ComputeRow<8>(layer, from + lane, channel + lane, oy, row + lane);
  }
  for (; lane + 4 <= lanes; lane += 4) {
    ComputeRow<4>(layer, from + lane, channel + lane, oy, row + lane);
  }
  for (; lane < lanes; ++lane) {
    ComputeRow<1>(layer, from + lane, channel + lane, oy, row + lane);
  }
  const int64_t count = layer.plane.x.output * lanes;
  epilogue.Store(row, count, index * count);
}

Depthwise LayerOf(const LayerSpec& spec, Layout layout, std::span<const Tensor* const> weights) {
  Depthwise layer{PlaneOf(std::get<Conv>(spec.op).window, spec.inputs[0].shape, spec.output.shape),
                  ViewOf(spec.inputs[0].shape, layout),
                  ViewOf(spec.output.shape, layout),
                  0,
                  {},
                  {}};
  layer.channels = layer.input.groups * layer.input.lanes;
  const auto channels = static_cast<size_t>(layer.channels);
  const std::vector<float> filters = WidenedValues(*weights[0]);
  const auto taps = static_cast<size_t>(layer.plane.y.kernel * layer.plane.x.kernel);
  layer.filters.assign(taps * channels, 0);
  for (size_t i = 0; i < filters.size(); ++i) {
    layer.filters[i % taps * channels + i / taps] = filters[i];
  }
  if (weights.size() > 1) layer.bias = WidenedValues(*weights[1]);
  layer.bias.resize(channels, 0);
  return layer;
}

// One filter a channel, in the layouts whose lanes are channels: every lane its own sum.
class OwnDepthwiseConv : public Primitive {
 public:
  std::string_view Name() const override { return "own.depthwise_conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* op = std::get_if<Conv>(&spec.op);
    if (op == nullptr) return Support::No("not a convolution");
    if (op->groups != spec.inputs[0].shape[1] || op->groups != spec.output.shape[1]) {
      return Support::No("not one filter a channel");
    }
    if (spec.weights.empty()) return Support::No("filters that are no constants");
    if (NumOperatorInputs(spec) != 1) return Support::No("a bias that is no constant");
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all = InEveryLayout(Name(), spec);
    std::erase_if(all, [](const Implementation& each) { return each.output == Layout::kPlain; });
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    Depthwise prepared = LayerOf(spec, implementation.output, weights);
    const int64_t row_floats = prepared.plane.x.output * prepared.output.lanes;
    const auto workspace_bytes = static_cast<size_t>(target.threads * row_floats) * sizeof(float);
    const size_t weight_bytes = (prepared.filters.size() + prepared.bias.size()) * sizeof(float);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel(
          [=, layer = std::move(prepared)](KernelInputs inputs, std::byte* output,
                                           std::byte* workspace) {
            const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
            const int64_t rows = layer.output.batch * layer.output.groups * layer.plane.y.output;
            const int64_t work = row_floats * layer.plane.y.kernel * layer.plane.x.kernel;
            ParallelFor(target, rows, work, [&](int64_t begin, int64_t end, int64_t part) {
              WithIsa(target, [&] {
                float* row = As<float>(workspace) + part * row_floats;
                for (int64_t i = begin; i < end; ++i) {
                  ComputeGroupRow(layer, i, As<T>(inputs[0]), row, epilogue);
                }
              });
            });
            ZeroPadding(layer.output, sizeof(T), output);
          },
          workspace_bytes, weight_bytes);
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnDepthwiseConv() { return std::make_unique<OwnDepthwiseConv>(); }

}  // namespace fettle
