#include <algorithm>

#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/own_depthwise_sums.h"
#include "fettle/primitives/own_layer_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/primitive_families.h"

// Convolution with one filter a channel, in the layouts whose lanes are channels: every lane is a
// sum of its own.
//
// There is one product for each input loaded if nothing is done about it, and the loads are what
// takes the time. So two rows of seven or eight outputs are summed together in registers
// (own_depthwise_layer.h): an input is loaded once for up to two rows and three or five columns of
// them, a weight once for a row. At the image's edges, pixels that are not there are left out: rows
// by a branch, columns by kernels that know how many are missing, since a branch for each pixel or
// a copy with zeros in it took longer than the products. Other windows than 3x3 and 5x5, with
// stride 1 or 2, are summed four outputs at a time. The sums are finished in registers
// (own_epilogue.h).
//
// Measured with primitive_benchmark, against oneDNN 2.6.3 on one core of an Emerald Rapids, f32 and
// ReLU6, the rest of the contenders left out (least of the rounds): 3x3 at 14x14x512 and 7x7x1024
// 1.4 times as fast, at 28x28x256 1.2, 5x5 at 28x28x240 1.4. Where input and output do not fit in
// the second-level cache both wait for memory: 1.05 to 1.15 at 112x112 and 56x56; channels last
// with stride 2 at 112x112x64 it loses, 0.9.
//
// bf16 is widened as it is loaded, in one instruction, and is three times as fast as oneDNN's.
// Where memory is what is waited for it is 1.3 to 2.3 times as fast as f32; where all lies in the
// second-level cache the conversions show: 0.8 to 0.95.

namespace fettle {
namespace {

// Vectors of one pixel that a task takes: what it reads of some rows stays in the first-level
// cache.
constexpr int64_t kTaskVectors = 8;

// Windows that there are blocks for.
constexpr int64_t kSides[] = {3, 5};

template <typename Isa, typename T>
class DepthwiseConv {
 public:
  static constexpr int kLanes = Isa::kLanes;
  using Products = typename Isa::Products;

  DepthwiseConv(const LayerSpec& spec, Layout layout, const Target& target,
                std::span<const Tensor* const> weights)
      : target_(target) {
    layer_.plane = PlaneOf(std::get<Conv>(spec.op).window, spec.inputs[0].shape, spec.output.shape);
    layer_.input = ViewOf(spec.inputs[0].shape, layout);
    layer_.output = ViewOf(spec.output.shape, layout);
    layer_.vectors = (layer_.input.lanes + kLanes - 1) / kLanes;
    // The last two vectors may overlap: one task has both.
    chunks_ = std::max<int64_t>(layer_.vectors / kTaskVectors, 1);
    // Enough tasks for the threads to end together.
    const int64_t planes = layer_.output.batch * layer_.output.groups * chunks_;
    const int64_t wanted = target.threads == 1 ? 1 : 8 * target.threads;
    const int64_t pairs = (layer_.plane.y.output + 1) / 2;
    bands_ =
        std::clamp<int64_t>(wanted / std::max<int64_t>(planes, 1), 1, std::max<int64_t>(pairs, 1));
    band_ = (pairs + bands_ - 1) / bands_ * 2;
    bands_ = (pairs * 2 + band_ - 1) / std::max<int64_t>(band_, 1);
    strip_ = layer_.plane.x.output % 7 == 0 && layer_.plane.x.output % 8 != 0 ? 7 : 8;
    Pack(weights);
  }

  size_t WorkspaceBytes() const { return 0; }
  size_t WeightBytes() const {
    return (layer_.filters.size() + layer_.bias.size()) * sizeof(float);
  }

  void Run(const T* x, const Epilogue<T>& epilogue, std::byte*) const {
    const VectorEpilogue<T> finish(epilogue, target_);
    const int64_t tasks = layer_.output.batch * layer_.output.groups * bands_ * chunks_;
    const int64_t work = layer_.output.elements() * layer_.taps();
    ParallelFor(target_, tasks, work / std::max<int64_t>(tasks, 1),
                [&](int64_t begin, int64_t end, int64_t) {
                  VisitRows([&](const auto& sum_rows) {
                    for (int64_t i = begin; i < end; ++i) sum_rows(TaskAt(i), x, finish);
                  });
                });
    ZeroPadding(layer_.output, sizeof(T), reinterpret_cast<std::byte*>(epilogue.output));
  }

 private:
  DepthwiseTask TaskAt(int64_t index) const {
    const int64_t chunk = index % chunks_, band = index / chunks_ % bands_;
    const int64_t plane = index / chunks_ / bands_, rows = layer_.plane.y.output;
    return {plane / layer_.input.groups,
            plane % layer_.input.groups,
            layer_.vectors * chunk / chunks_,
            layer_.vectors * (chunk + 1) / chunks_,
            band * band_,
            std::min((band + 1) * band_, rows)};
  }

  // Calls body(f) with the f(task, x, finish) for the layer's window, compiled for the Isa.
  template <typename Body>
  void VisitRows(const Body& body) const {
    if constexpr (kLanes > 1) {
      for (const int64_t side : kSides) {
        for (const int64_t stride : {1, 2}) {
          if (!IsSquare(layer_.plane.y, side, stride) || !IsSquare(layer_.plane.x, side, stride)) {
            continue;
          }
          if (side == 3) return stride == 1 ? VisitStrip<3, 1>(body) : VisitStrip<3, 2>(body);
          return stride == 1 ? VisitStrip<5, 1>(body) : VisitStrip<5, 2>(body);
        }
      }
    }
    Isa::Run([&] {
      body([&](const DepthwiseTask& task, const T* x, const VectorEpilogue<T>& finish) {
        SumAnyRows<kLanes, Products>(layer_, task, x, finish);
      });
    });
  }

  static bool IsSquare(const WindowAxis& axis, int64_t side, int64_t stride) {
    return axis.kernel == side && axis.stride == stride && axis.dilation == 1;
  }

  template <int kSide, int kStride, typename Body>
  void VisitStrip(const Body& body) const {
    if constexpr (kLanes == 16) {
      if (strip_ == 7) return RunBlocks<kSide, kStride, 7>(body);
      RunBlocks<kSide, kStride, 8>(body);
    } else {
      RunBlocks<kSide, kStride, 4>(body);
    }
  }

  template <int kSide, int kStride, int kCount, typename Body>
  void RunBlocks(const Body& body) const {
    using Block = DepthwiseBlock<kLanes, kSide, kStride, kCount, Products>;
    Isa::Run([&] {
      body([&](const DepthwiseTask& task, const T* x, const VectorEpilogue<T>& finish) {
        for (int64_t oy = task.begin; oy < task.end; oy += 2) {
          SumPair<Block, kStride, kCount, Products>(layer_, task, oy, x, finish);
        }
      });
    });
  }

  void Pack(std::span<const Tensor* const> weights) {
    const std::vector<float> filters = WidenedValues(*weights[0]);
    std::vector<float> bias;
    if (weights.size() > 1) bias = WidenedValues(*weights[1]);
    const int64_t all = layer_.input.groups * layer_.vectors * kLanes;
    layer_.filters.resize(static_cast<size_t>(all * layer_.taps()), 0);
    layer_.bias.resize(static_cast<size_t>(all), 0);
    for (int64_t i = 0; i < all; ++i) {
      const int64_t lane = i % kLanes, vector = i / kLanes % layer_.vectors;
      const int64_t group = i / kLanes / layer_.vectors;
      const int64_t first = std::min(vector * kLanes, layer_.input.lanes - kLanes);
      const int64_t channel = group * layer_.input.lanes + first + lane;
      if (channel >= layer_.input.channels) continue;
      if (!bias.empty()) layer_.bias[static_cast<size_t>(i)] = bias[static_cast<size_t>(channel)];
      for (int64_t tap = 0; tap < layer_.taps(); ++tap) {
        const int64_t to = (i / kLanes * layer_.taps() + tap) * kLanes + lane;
        layer_.filters[static_cast<size_t>(to)] =
            filters[static_cast<size_t>(channel * layer_.taps() + tap)];
      }
    }
  }

  Target target_;
  DepthwiseLayer layer_;
  int64_t chunks_ = 1, bands_ = 1, band_ = 2, strip_ = 8;
};

template <typename Isa, typename T>
std::unique_ptr<Kernel> MakeDepthwiseKernel(const LayerSpec& spec, Layout layout,
                                            const Target& target,
                                            std::span<const Tensor* const> weights) {
  return MakeLayerKernel<T>(
      std::make_shared<const DepthwiseConv<Isa, T>>(spec, layout, target, weights), spec);
}

class OwnDepthwiseConv : public Primitive {
 public:
  std::string_view Name() const override { return "own.depthwise_conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (Support constant = RequireConstantConv(spec); !constant) return constant;
    const int64_t groups = std::get<Conv>(spec.op).groups;
    if (groups != spec.inputs[0].shape[1] || groups != spec.output.shape[1]) {
      return Support::No("not one filter a channel");
    }
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all = InEveryLayout(Name(), spec);
    std::erase_if(all, [](const Implementation& each) { return each.output == Layout::kPlain; });
    for (Implementation& each : all) each.version = 3;
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    // As wide as there are channels, and in bf16 as there are instructions that round to it.
    const Layout layout = implementation.output;
    const int64_t lanes = ViewOf(spec.inputs[0].shape, layout).lanes;
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
#if defined(__x86_64__)
      if constexpr (std::is_same_v<T, BF16>) {
        if (target.has_avx512_bf16 && lanes >= 16) {
          return MakeDepthwiseKernel<Avx512BF16Isa<F32RoundedProducts>, T>(spec, layout, target,
                                                                           weights);
        }
      } else if (target.has_avx512 && lanes >= 16) {
        return MakeDepthwiseKernel<Avx512Isa, T>(spec, layout, target, weights);
      }
      if (target.has_avx2 && lanes >= 8) {
        return MakeDepthwiseKernel<Avx2Isa, T>(spec, layout, target, weights);
      }
#endif
      if (lanes >= 4) {
        return MakeDepthwiseKernel<PlainIsa<4, F32Products>, T>(spec, layout, target, weights);
      }
      return MakeDepthwiseKernel<PlainIsa<1, F32Products>, T>(spec, layout, target, weights);
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnDepthwiseConv() { return std::make_unique<OwnDepthwiseConv>(); }

}  // namespace fettle
