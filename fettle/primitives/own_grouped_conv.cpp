#include <algorithm>
#include <string>

#include "fettle/core/error.h"
#include "fettle/primitives/own_grouped_layer.h"
#include "fettle/primitives/own_grouped_pointwise.h"
#include "fettle/primitives/own_grouped_rows.h"
#include "fettle/primitives/own_grouped_sums.h"
#include "fettle/primitives/own_layer_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/primitive_families.h"

// Convolution in groups of few channels.
//
// Lanes are output channels. With 2, 4 or 8 of them a group, a vector spans several groups, and
// each lane needs an input of its own: lane (g, k) needs x[g, c], for each c of its group. That is
// a permutation of the pixel, different for each c. As a row of the image is first needed, its
// pixels are permuted once for each c into scratch, which holds as many rows as the kernel is high
// (own_grouped_rows.h). From there on it is an ordinary sum of products of vectors: some 14
// neighbouring outputs in registers, a vector of weights for each tap, and of three taps side by
// side each input is loaded once. A 3x3 kernel uses a permuted vector nine times.
//
// `:late` leaves the pixels in scratch as they are and permutes them as they are summed, each for
// three neighbouring taps, where there are such, and else for one. What is permuted early has to be
// stored and loaded again, takes as much more scratch as a group has inputs, and with stride 2 is
// used 2.25 times only; what is permuted late competes with the products for execution ports. Which
// is faster is the processor's and the layer's.
//
// Scratch makes the rest easy as well: beyond the image it holds zeros, so that the sums have no
// branches; every stride-th pixel lies together, so that strides are all one to the sums; what is
// bf16 is widened on the way; and of the strips of a row as many as it holds share it. With 16
// channels a group or more the lanes share their inputs, which are then broadcast from a copy of
// the same kind, for two vectors of outputs at once.
//
// `:dots` sums pairs of inputs by the dot products of AVX-512 BF16, which halves the permutations
// and, where these instructions run at full speed, the products.
//
// Against the best of oneDNN 2.6.3 and OpenBLAS on a core of a Zen 4, in turns (kernel_table), f32
// and bf16: 4 channels a group at 56x56x128 2.0 and 1.9 times as fast, 8 at 28x28x256 1.0 and 0.87.
// It loses with stride 2, where a pixel is used 2.25 times instead of nine (8 a group at 56x56x256:
// 0.51 and 0.43, at 4 a group 1.4 and 0.94), and where one group fills vectors and oneDNN is near
// the peak anyway (16 a group at 14x14x512: 0.88 and 0.79; 32 at 7x7x1024: 0.86 and 0.83). So it
// does in grouped 1x1 kernels, where there is but one tap to use what was permuted or copied; for
// these there is own_grouped_pointwise.cpp, where lanes are pixels. Late is the faster one
// there: 1.25 times at 4 a group, 1.4 at 8, 1.7 with stride 2. Of version 2 on an Emerald Rapids,
// which had only the early one, f32: 2.75 at 4 a group, 1.4 at 8, 6.3 at 2; dot products of bf16
// run at less than half the rate of f32's there, and `:dots` was 0.55 to 0.65 times as fast as
// widening.

namespace fettle {
namespace {

// What may follow the primitive's name in an implementation's.
constexpr std::string_view kDots = ":dots", kLate = ":late";

bool Has(const Implementation& implementation, std::string_view part) {
  return implementation.name.find(part) != std::string::npos;
}

template <typename Isa, typename T>
class GroupedConv {
 public:
  using Products = typename Isa::Products;
  static constexpr int kLanes = Isa::kLanes;

  static constexpr GroupedWords kWords = {kLanes == 16, Products::kStep};

  GroupedConv(const LayerSpec& spec, const Implementation& implementation, const Target& target,
              std::span<const Tensor* const> weights)
      : target_(target),
        layer_(GroupedLayerOf(spec, implementation.output, target, kWords,
                              Has(implementation, kLate), weights)) {}

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
    const int64_t run = task / units % layer_.runs;
    const int64_t band = task / units / layer_.runs % layer_.bands;
    const int64_t image = task / units / layer_.runs / layer_.bands;
    const int64_t first = band * layer_.band;
    const int64_t last = std::min(first + layer_.band, layer_.shape.plane.y.output);
    const T* from = x + image * layer_.input.groups * layer_.input.space * layer_.input.lanes;
    const int64_t to = image * layer_.output.groups * layer_.output.space * layer_.output.lanes;
    const WindowAxis& axis = layer_.shape.plane.x;
    const int64_t ox = run * layer_.run * layer_.strip, ix = ox * axis.stride - axis.pad_begin;
    // In a function of its own, being the same for all kernels.
    const auto fill = [&](int64_t y, float* row) {
      Isa::Run([&] {
        FillRow<kLanes, Products>(layer_, unit, from + y * axis.input * layer_.input.lanes, ix,
                                  row);
      });
    };
    VisitWay(unit, [&]<int kCount, GroupedWay kWay>() {
      Isa::Run([&] {
        SumRun<kLanes, kCount, kWay, Products>(layer_, unit, to, ox, first, last, ring, fill,
                                               finish);
      });
    });
  }

  template <typename Body>
  void VisitWay(const OutputUnit& unit, const Body& body) const {
    if (layer_.is_spread && layer_.has_three_neighbours()) {
      if (layer_.is_late) return VisitStrip<GroupedWay::kLateThree>(body);
      return VisitStrip<GroupedWay::kSpreadThree>(body);
    }
    if (layer_.is_late) return VisitStrip<GroupedWay::kLate>(body);
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

// More than so many inputs a group are better off elsewhere; more of them can be multiplied where
// the layout is plain and the kernel 1x1.
constexpr int64_t kMostInputs = 128, kMostPointwiseInputs = 512;

// Whether vectors are of 512 bits. In bf16 only with the instructions that round to it.
bool IsWide(const LayerSpec& spec, const Target& target) {
  return spec.output.dtype == DType::kF32 ? target.has_avx512 : target.has_avx512_bf16;
}

bool HasDots(const LayerSpec& spec, const Target& target) {
  return spec.output.dtype == DType::kBF16 && target.has_avx512_bf16 &&
         ConvShapeOf(spec).group_inputs() % 2 == 0;
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
    if (shape.is_pointwise()) AddLayout(spec, target, Layout::kPlain, &all);
    if (shape.group_inputs() <= kMostInputs) {
      AddLayout(spec, target, Layout::kChannelsLast, &all);
      AddLayout(spec, target, IsWide(spec, target) ? Layout::kBlocked16 : Layout::kBlocked8, &all);
    }
    for (Implementation& each : all) each.version = 3;
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    const bool by_dots = Has(implementation, kDots);
    if (implementation.output == Layout::kPlain) {
      return MakeGroupedPointwise(spec, target, by_dots, weights);
    }
    return VisitIsa(spec.output.dtype, target, by_dots, [&]<typename T, typename Isa>() {
      return MakeLayerKernel<T>(
          std::make_shared<const GroupedConv<Isa, T>>(spec, implementation, target, weights), spec);
    });
  }

 private:
  void AddLayout(const LayerSpec& spec, const Target& target, Layout layout,
                 std::vector<Implementation>* all) const {
    if (!CanAllHave(spec, layout)) return;
    AddWays(Name(), spec, layout, {IsWide(spec, target), 1}, all);
    if (HasDots(spec, target)) AddWays(Text(Name(), kDots), spec, layout, {true, 2}, all);
  }

  static void AddWays(std::string_view name, const LayerSpec& spec, Layout layout,
                      GroupedWords words, std::vector<Implementation>* all) {
    all->push_back(InLayout(name, spec, layout));
    if (layout == Layout::kPlain || !CanPermuteLate(spec, layout, words)) return;
    all->push_back(InLayout(Text(name, kLate), spec, layout));
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnGroupedConv() { return std::make_unique<OwnGroupedConv>(); }

}  // namespace fettle
