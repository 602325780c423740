#include <algorithm>
#include <string>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/primitives/own_grouped_layer.h"
#include "fettle/primitives/own_grouped_pointwise.h"
#include "fettle/primitives/own_grouped_rows.h"
#include "fettle/primitives/own_grouped_sums.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_kernel_isa.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/primitive_families.h"

// Convolution in groups of few channels.
//
// Lanes are output channels. With 2, 4 or 8 of them a group, a vector spans several groups, and
// each lane needs an input of its own: lane (g, k) needs x[g, c], for each c of its group. That is
// a permutation of the pixel, different for each c. Permuting competes with the products for the
// same execution port, so it must not be done for each product: as a row of the image is first
// needed, the pixels of a strip are permuted once for each c into scratch, which holds as many rows
// as the kernel is high (own_grouped_rows.h). From there on it is an ordinary sum of
// products of vectors: some 14 neighbouring outputs in registers, a vector of weights for each tap,
// and of three taps side by side each input is loaded once. A 3x3 kernel uses a permuted vector
// nine times.
//
// Scratch makes the rest easy as well: beyond the image it holds zeros, so that the sums have no
// branches; every stride-th pixel lies together, so that strides are all one to the sums; what is
// bf16 is widened on the way. With 16 channels a group or more the lanes share their inputs, which
// are then broadcast from a copy of the same kind, for two vectors of outputs at once.
//
// Measured with primitive_benchmark, against the best of oneDNN 2.6.3 on one core of an Emerald
// Rapids, f32 and ReLU, the rest of the contenders left out (least of the rounds): 4 channels a
// group at 56x56x128 2.75 times as fast, 8 at 28x28x256 1.4, 4 of 16 at 32x32 3.4, 2 of 64 at 16x16
// 6.3. It loses with stride 2, where a permuted pixel is used 2.25 times instead of nine (8 a group
// at 56x56x256: 0.8), and where one group fills vectors and oneDNN is near the peak anyway (16 a
// group at 14x14x512: 0.86, 32 at 7x7x1024: 0.95). So it does in grouped 1x1 kernels, where there
// is but one tap to use what was permuted or copied; for these there is own_grouped_pointwise.cpp,
// where lanes are pixels. In caches that others have emptied the gain at 8 a group is gone (0.9),
// that at 4 is not (2.5).
//
// In bf16 it is as fast as in f32. `:dots` sums pairs of inputs by the dot products of AVX-512
// BF16, which halves the permutations and, where these instructions run at full speed, the
// products; here they run at less than half the rate of the f32 ones, and it is 0.55 to 0.65 times
// as fast.

namespace fettle {
namespace {

template <typename Isa, typename T>
class GroupedConv {
 public:
  using Products = typename Isa::Products;
  static constexpr int kLanes = Isa::kLanes;

  GroupedConv(const LayerSpec& spec, Layout layout, const Target& target,
              std::span<const Tensor* const> weights)
      : target_(target),
        layer_(GroupedLayerOf(spec, layout, target, kLanes == 16, Products::kStep, weights)) {}

  size_t WorkspaceBytes() const { return static_cast<size_t>(target_.threads * ring_bytes()); }
  size_t WeightBytes() const { return layer_.weights.size() + layer_.bias.size() * sizeof(float); }

  void Run(const T* x, const Epilogue<T>& epilogue, std::byte* workspace) const {
    const VectorEpilogue<T> finish(epilogue, target_);
    const int64_t work = layer_.shape.batch * layer_.output.groups * layer_.output.lanes *
                         layer_.output.space * layer_.shape.taps() * layer_.shape.group_inputs();
    ParallelFor(target_, layer_.tasks(), work / layer_.tasks(),
                [&](int64_t begin, int64_t end, int64_t part) {
                  float* ring = As<float>(workspace + part * ring_bytes());
                  for (int64_t task = begin; task < end; ++task) RunTask(task, x, finish, ring);
                });
    ZeroPadding(layer_.output, sizeof(T), reinterpret_cast<std::byte*>(epilogue.output));
  }

 private:
  int64_t ring_bytes() const { return RoundedUp(layer_.ring_bytes(), 64); }

  // Units of the same inputs follow one another.
  void RunTask(int64_t task, const T* x, const VectorEpilogue<T>& finish, float* ring) const {
    const auto units = static_cast<int64_t>(layer_.units.size());
    const OutputUnit& unit = layer_.units[static_cast<size_t>(task % units)];
    const int64_t strip = task / units % layer_.strips;
    const int64_t band = task / units / layer_.strips % layer_.bands;
    const int64_t image = task / units / layer_.strips / layer_.bands;
    const int64_t first = band * layer_.band;
    const int64_t last = std::min(first + layer_.band, layer_.shape.plane.y.output);
    const T* from = x + image * layer_.input.groups * layer_.input.space * layer_.input.lanes;
    const int64_t to = image * layer_.output.groups * layer_.output.space * layer_.output.lanes;
    const WindowAxis& axis = layer_.shape.plane.x;
    const int64_t ox = strip * layer_.strip, ix = ox * axis.stride - axis.pad_begin;
    // In a function of its own, being the same for all kernels.
    const auto fill = [&](int64_t y, float* row) {
      Isa::Run([&] {
        FillRow<kLanes, Products>(layer_, unit, from + y * axis.input * layer_.input.lanes, ix,
                                  row);
      });
    };
    VisitWay(unit, [&]<int kCount, GroupedWay kWay>() {
      Isa::Run([&] {
        SumStrip<kLanes, kCount, kWay, Products>(layer_, unit, to, ox, first, last, ring, fill,
                                                 finish);
      });
    });
  }

  template <typename Body>
  void VisitWay(const OutputUnit& unit, const Body& body) const {
    if (layer_.is_spread && layer_.has_three_neighbours()) {
      return VisitStrip<GroupedWay::kSpreadThree>(body);
    }
    if (layer_.is_spread) return VisitStrip<GroupedWay::kSpread>(body);
    if constexpr (kLanes == 16) {
      if (unit.vectors == 2) return VisitStrip<GroupedWay::kBroadcastTwo>(body);
    }
    VisitStrip<GroupedWay::kBroadcast>(body);
  }

  template <GroupedWay kWay, typename Body>
  void VisitStrip(const Body& body) const {
    if (layer_.strip == 8) return body.template operator()<8, kWay>();
    if constexpr (kLanes == 16) {
      if (layer_.strip == 7) return body.template operator()<7, kWay>();
      if (layer_.strip == 14) return body.template operator()<14, kWay>();
      if constexpr (kWay != GroupedWay::kBroadcastTwo) body.template operator()<16, kWay>();
    } else {
      if (layer_.strip == 4) return body.template operator()<4, kWay>();
      body.template operator()<12, kWay>();
    }
  }

  Target target_;
  GroupedLayer layer_;
};

template <typename Isa, typename T>
std::unique_ptr<Kernel> MakeGroupedKernel(const LayerSpec& spec, Layout layout,
                                          const Target& target,
                                          std::span<const Tensor* const> weights) {
  auto conv = std::make_shared<const GroupedConv<Isa, T>>(spec, layout, target, weights);
  return MakeKernel(
      [=](KernelInputs inputs, std::byte* output, std::byte* workspace) {
        conv->Run(As<T>(inputs[0]), EpilogueOf<T>(spec, inputs, output), workspace);
      },
      conv->WorkspaceBytes(), conv->WeightBytes());
}

// More than so many inputs a group are better off elsewhere; more of them can be multiplied where
// the layout is plain and the kernel 1x1.
constexpr int64_t kMostInputs = 128, kMostPointwiseInputs = 512;

// Whether vectors are of 512 bits. In bf16 only with the instructions that round to it.
bool IsWide(const LayerSpec& spec, const Target& target) {
  return spec.output.dtype == DType::kF32 ? target.has_avx512 : target.has_avx512_bf16;
}

class OwnGroupedConv : public Primitive {
 public:
  std::string_view Name() const override { return "own.grouped_conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (Support constant = RequireConstantConv(spec); !constant) return constant;
    if (Support fits = ConvShapeSupport(spec); !fits) return fits;
    const ConvShape shape = ConvShapeOf(spec);
    if (shape.group_inputs() == 1 && shape.group_outputs() == 1) {
      return Support::No("one filter a channel");
    }
    const int64_t most = shape.is_pointwise() ? kMostPointwiseInputs : kMostInputs;
    if (shape.group_inputs() > most) {
      return Support::No(Text("more than ", most, " channels a group"));
    }
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec,
                                              const Target& target) const override {
    std::vector<Implementation> all;
    const ConvShape shape = ConvShapeOf(spec);
    if (shape.is_pointwise()) all.push_back(InLayout(Name(), spec, Layout::kPlain));
    if (shape.group_inputs() <= kMostInputs) AddLayoutsOfLanes(spec, target, shape, &all);
    for (Implementation& each : all) each.version = 2;
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    const Layout layout = implementation.output;
    if (layout == Layout::kPlain) return MakeGroupedPointwise(spec, target, weights);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
#if defined(__x86_64__)
      if constexpr (std::is_same_v<T, BF16>) {
        if (implementation.name.ends_with(":dots")) {
          return MakeGroupedKernel<Avx512BF16Isa<BF16Dots>, T>(spec, layout, target, weights);
        }
        if (target.has_avx512_bf16) {
          return MakeGroupedKernel<Avx512BF16Isa<F32RoundedProducts>, T>(spec, layout, target,
                                                                         weights);
        }
      } else if (target.has_avx512) {
        return MakeGroupedKernel<Avx512Isa, T>(spec, layout, target, weights);
      }
      if (target.has_avx2) return MakeGroupedKernel<Avx2Isa, T>(spec, layout, target, weights);
#endif
      return MakeGroupedKernel<PlainIsa<8, F32Products>, T>(spec, layout, target, weights);
    });
  }

 private:
  void AddLayoutsOfLanes(const LayerSpec& spec, const Target& target, const ConvShape& shape,
                         std::vector<Implementation>* all) const {
    const bool has_dots = spec.output.dtype == DType::kBF16 && target.has_avx512_bf16 &&
                          shape.group_inputs() % 2 == 0;
    const Layout blocked = IsWide(spec, target) ? Layout::kBlocked16 : Layout::kBlocked8;
    for (const Layout layout : {Layout::kChannelsLast, blocked}) {
      if (!CanAllHave(spec, layout)) continue;
      all->push_back(InLayout(Name(), spec, layout));
      if (has_dots) all->push_back(InLayout(std::string(Name()) + ":dots", spec, layout));
    }
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnGroupedConv() { return std::make_unique<OwnGroupedConv>(); }

}  // namespace fettle
