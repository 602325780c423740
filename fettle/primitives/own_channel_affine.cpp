#include <algorithm>
#include <numeric>
#include <vector>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_broadcast.h"
#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_layer_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/primitive_families.h"

// A scale and a shift for each channel: what is left of a batch normalisation that no convolution
// before it can take in, as in networks that normalise first (DenseNet, wide ResNets), where it
// reads and writes all that there is.
//
// In memory, channels come in runs in which scales and shifts repeat: all of an image channels
// last, a block of channels in blocked layouts; in the plain layout a run has but one of each. They
// are laid out once for as many vectors as it takes for both to end together, so that an image is
// walked through in whole vectors, from its first element to its last, some vectors at a time in
// registers; where that would take too many, pixel by pixel.
//
// On a Zen 4 core, f32 and ReLU, as the cost database measures (hot, the best layout): 4.8 us at
// 1024 channels of 7x7, 10 us at 512 of 14x14, 95 us at 256 of 56x56; by the general broadcast of
// own_broadcast.h it took 14.8, 31 and 340. The plain layout is the slowest where images are a few
// vectors (22 us at 1024 of 7x7).

namespace fettle {
namespace {

// Vectors that are finished together.
constexpr int kStrip = 4;

// Elements of a task, about, and the longest period of several pixels.
constexpr int64_t kPieceElements = 8192, kLongestPeriod = 4096;

// Where the scales and shifts of a run are, and the `period` after which they repeat; 1 where all
// of the run have the same.
struct AffineRun {
  const float *scales, *shifts;
  int64_t period;
};

// kCount vectors of elements from `offset` on; of the last one so many lanes.
template <int kLanes, int kCount, typename Products, typename T>
inline void ScaleVectors(const AffineRun& run, int64_t at, const T* x, int64_t offset,
                         int64_t lanes, const VectorEpilogue<T>& epilogue) {
  Vector<kLanes> values[kCount];
#pragma GCC unroll 8
  for (int i = 0; i < kCount; ++i) {
    const T* from = x + offset + int64_t{i} * kLanes;
    if constexpr (kCount > 1) {
      Products::template Load<kLanes>(from, &values[i]);
    } else {
      LoadLanes<kLanes, Products>(from, lanes, &values[i]);
    }
    if (run.period == 1) {
      values[i] = values[i] * *run.scales + *run.shifts;
    } else {
      Vector<kLanes> scales, shifts;
      LoadVector<kLanes>(run.scales + at + int64_t{i} * kLanes, &scales);
      LoadVector<kLanes>(run.shifts + at + int64_t{i} * kLanes, &shifts);
      values[i] = values[i] * scales + shifts;
    }
  }
  const OutputStrip strip{offset, kLanes, kCount, lanes};
  FinishVectors<kLanes, kCount, Products>(epilogue, strip, values);
}

// `count` elements from `offset` on, the first of which is the first of a period.
template <int kLanes, typename Products, typename T>
inline void ScaleElements(const AffineRun& run, const T* x, int64_t offset, int64_t count,
                          const VectorEpilogue<T>& epilogue) {
  constexpr int64_t kMany = int64_t{kStrip} * kLanes;
  const int64_t end = offset + count, period = run.period == 1 ? count : run.period;
  while (offset < end) {
    const int64_t length = std::min(period, end - offset);
    int64_t at = 0;
    for (; at + kMany <= length; at += kMany) {
      ScaleVectors<kLanes, kStrip, Products>(run, at, x, offset + at, kLanes, epilogue);
    }
    for (; at < length; at += kLanes) {
      ScaleVectors<kLanes, 1, Products>(run, at, x, offset + at,
                                        std::min<int64_t>(kLanes, length - at), epilogue);
    }
    offset += length;
  }
}

template <typename Isa, typename T>
class ChannelAffineLayer {
 public:
  static constexpr int kLanes = Isa::kLanes;
  using Products = typename Isa::Products;

  ChannelAffineLayer(const LayerSpec& spec, Layout layout, const Target& target,
                     std::span<const Tensor* const> weights)
      : target_(target), view_(ViewOf(spec.output.shape, layout)) {
    if (view_.space == 1 && view_.lanes == 1 && view_.channels > 0) {  // the same as channels last
      view_.lanes = view_.channels;
      view_.groups = 1;
    }
    if (view_.lanes > 1) period_ = Period();
    table_ = period_ == 1 ? 1 : RoundedUp(period_, kLanes);
    piece_ = (kPieceElements + period_ - 1) / period_ * period_;
    scales_ = Repeated(WidenedValues(*weights[0]));
    shifts_ = Repeated(WidenedValues(*weights[1]));
  }

  size_t WorkspaceBytes() const { return 0; }
  size_t WeightBytes() const { return (scales_.size() + shifts_.size()) * sizeof(float); }

  void Run(const T* x, const Epilogue<T>& epilogue, std::byte*) const {
    const VectorEpilogue<T> finish(epilogue, target_);
    const int64_t length = view_.space * view_.lanes;
    const int64_t pieces = (length + piece_ - 1) / piece_;
    ParallelFor(target_, view_.batch * view_.groups * pieces, std::min(length, piece_),
                [&](int64_t begin, int64_t end, int64_t) {
                  Isa::Run([&] {
                    for (int64_t task = begin; task < end; ++task) {
                      const int64_t run = task / pieces, first = task % pieces * piece_;
                      const int64_t table = run % view_.groups * table_;
                      ScaleElements<kLanes, Products>(
                          {scales_.data() + table, shifts_.data() + table, period_}, x,
                          run * length + first, std::min(piece_, length - first), finish);
                    }
                  });
                });
    ZeroPadding(view_, sizeof(T), reinterpret_cast<std::byte*>(epilogue.output));
  }

 private:
  // In elements: whole vectors, or all that there is; a pixel where that is too long.
  int64_t Period() const {
    constexpr int64_t kStripLanes = int64_t{kStrip} * kLanes;
    // Of more channels than a strip has lanes most strips are whole ones anyway.
    const int64_t vectors =
        std::lcm(view_.lanes, view_.lanes > kStripLanes ? int64_t{kLanes} : kStripLanes);
    const int64_t period = std::min(vectors, view_.space * view_.lanes);
    return std::max<int64_t>(period > kLongestPeriod ? view_.lanes : period, 1);
  }

  // [group][table], zeros in the lanes that are no channels.
  std::vector<float> Repeated(const std::vector<float>& values) const {
    std::vector<float> repeated(static_cast<size_t>(view_.groups * table_), 0);
    for (int64_t i = 0; i < view_.groups * table_; ++i) {
      const int64_t channel = i / table_ * view_.lanes + i % table_ % view_.lanes;
      if (channel >= view_.channels) continue;
      repeated[static_cast<size_t>(i)] = values[static_cast<size_t>(channel)];
    }
    return repeated;
  }

  Target target_;
  ChannelView view_;
  int64_t period_ = 1, table_ = 1, piece_ = 1;  // table_: the period in whole vectors
  std::vector<float> scales_, shifts_;
};

// As it is broadcast: scale and shift of [C] under the channel axis.
BroadcastExpression ExpressionOf(const LayerSpec& spec) {
  BroadcastExpression expression;
  for (const TensorType& operand : OperandTypes(spec)) expression.operands.push_back(operand.shape);
  expression.kinds = {BinaryKind::kMul, BinaryKind::kAdd};
  for (size_t i = 1; i < 3; ++i) expression.operands[i].resize(spec.output.shape.size() - 1, 1);
  return expression;
}

class OwnChannelAffine : public Primitive {
 public:
  std::string_view Name() const override { return "own.channel_affine"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<ChannelAffine>(spec.op)) return Support::No("not a channel affine");
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all = BroadcastImplementations(Name(), spec);
    for (Implementation& each : all) each.version = 2;
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    if (weights.size() < 2) {  // scale or shift are computed
      return PrepareBroadcast(spec, implementation, target, ExpressionOf(spec), weights);
    }
    return VisitIsa(spec.output.dtype, target, false, [&]<typename T, typename Isa>() {
      return MakeLayerKernel<T>(std::make_shared<const ChannelAffineLayer<Isa, T>>(
                                    spec, implementation.output, target, weights),
                                spec);
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnChannelAffine() { return std::make_unique<OwnChannelAffine>(); }

}  // namespace fettle
