#include <algorithm>
#include <memory>

#include "fettle/core/error.h"
#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_layer_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_sparse_blocks.h"
#include "fettle/primitives/own_sparse_copy.h"
#include "fettle/primitives/own_sparse_filters.h"
#include "fettle/primitives/own_sparse_store.h"
#include "fettle/primitives/own_sparse_sums.h"
#include "fettle/primitives/own_tap_plane.h"
#include "fettle/primitives/primitive_families.h"

// A convolution whose weights are mostly zeros, which it leaves out (after Elsen et al., "Fast
// Sparse ConvNets", CVPR 2020).
//
// The lanes of a vector are neighbouring pixels. A block of some vectors of pixels is computed for
// one output channel after another: the sums stay in registers, and each weight that is not zero is
// brought into all lanes once and multiplied with the block's vectors of its input, which lie at an
// offset stored beside the weight. So it costs a load a product, and two more a weight.
//
// What makes the loads cheap:
// - The inputs are cut into slices of channels, and a slice's pixels are copied to where they are
//   read, 40 KB of them at most: they stay in the first-level cache. Between slices the sums rest
//   in the second-level one.
// - The copy has the window's zeros in it, and each phase of a stride by itself (own_tap_plane.h):
//   every tap of the window is an offset, and rows need not fill vectors, since what is computed
//   between two rows is dropped.
// - A 512-bit load across two cache lines takes the time of two. There is a copy for each remainder
//   of the taps' offsets, shifted by it (SparseCopies): three of a 3x3 window whose rows are padded
//   to whole vectors, six of the 7x7 images whose rows are half a vector.
// - Output channels come in the order of their weights' number, slice by slice, so that the inner
//   loop's end is predicted.
// Where 2 or 4 neighbouring output channels have their zeros in the same places, each load of an
// input serves all of them. bf16 is widened by the copy and rounded by the epilogue; in between all
// is f32.
//
// It wins with few weights left, and more so the more input channels and the larger the window:
// what is copied and stored does not get less with the zeros.
//
// Measured on one thread of an Emerald Rapids with AVX-512, least times of interleaved runs over
// the best dense implementation's, Winograd's among them (primitive_benchmark LAYER 1 1, f32,
// ReLU):
//
//   density           0.05   0.1   0.2   0.3
//   1x1 64->256@56     1.3   1.7   1.1   1.0
//   1x1 512->128@28    3.3   3.2   2.3   1.8
//   1x1 1024->256@14   4.6   4.1   2.5   1.8
//   3x3 128@28         2.3   1.9   1.4   0.9
//   3x3 512@7          6.3   4.8   2.5   1.8
//   3x3/2 256@28       3.7   3.1   2.0   1.6
//
// The machine was shared, so a tenth more or less says nothing. A 3x3 of 64 channels at 56x56 is at
// best what Winograd's is at a density of 0.1. A ResNet-50 of which all convolutions but the first
// have a density of 0.1 ran 2.67 times as fast as ONNX Runtime runs the dense one on one thread,
// and 2.48 times on two (fettle bench sparse50.onnx --original resnet50.onnx --against onnxruntime
// --primitive own.sparse_conv).

namespace fettle {
namespace {

// Of the share of weights that are not zero: above it, dense kernels win everywhere.
constexpr double kMostDensity = 0.5;

// A slice's copy of the inputs, which is to stay in the first-level cache.
constexpr int64_t kSliceBytes = 40 << 10;

// The most vectors of sums of so many rows that registers hold, with what they are added to.
constexpr int MostVectors(int rows, bool is_wide) {
  if (rows == 1) return 8;
  if (rows == 2) return is_wide ? 8 : 5;
  return is_wide ? 6 : 3;
}

int64_t LanesOf(const Target& target) { return target.has_avx512 ? 16 : 8; }

class SparseConv {
 public:
  SparseConv(const LayerSpec& spec, const Target& target, std::span<const Tensor* const> weights)
      : target_(target),
        shape_(ConvShapeOf(spec)),
        lanes_(LanesOf(target)),
        plane_(shape_, lanes_),
        bounds_(BoundsOf(spec.activation)) {
    const std::vector<float> filters = WidenedValues(*weights[0]);
    rows_ = SharedRows(filters, shape_.out_channels);
    if (weights.size() > 1) bias_ = WidenedValues(*weights[1]);
    bias_.resize(static_cast<size_t>(RoundedUp(shape_.out_channels, rows_)), 0);
    const int64_t blocks = NumBlocks();
    blocks_ = CutPositions(shape_, plane_, lanes_, blocks);
    for (const SparseBlock& block : blocks_) vectors_ = std::max(vectors_, block.vectors);
    copies_.emplace(plane_, lanes_, vectors_ * lanes_);
    const SparseCut cut{rows_, NumParts(blocks), SliceChannels()};
    parts_ = CutFilters(filters, shape_.out_channels, shape_.in_channels, *copies_, cut);
    MeasureScratch(cut);
  }

  size_t WorkspaceBytes() const {
    return static_cast<size_t>(target_.threads * scratch_floats_) * sizeof(float);
  }
  size_t WeightBytes() const {
    size_t bytes = bias_.size() * sizeof(float);
    for (const SparsePart& part : parts_) {
      for (const SparseSlice& slice : part.slices) bytes += slice.Bytes();
    }
    return bytes;
  }

  template <typename T>
  void Run(const T* x, const Epilogue<T>& epilogue, std::byte* workspace) const {
    const SparseStore<T> store{epilogue, bounds_};
    const auto blocks = static_cast<int64_t>(blocks_.size());
    const auto parts = static_cast<int64_t>(parts_.size());
    ParallelFor(target_, blocks * parts, task_work_,
                [&](int64_t begin, int64_t end, int64_t index) {
                  float* scratch = As<float>(workspace) + index * scratch_floats_;
                  for (int64_t task = begin; task < end; ++task) {
                    RunTask(parts_[static_cast<size_t>(task / blocks)],
                            blocks_[static_cast<size_t>(task % blocks)], x, store, scratch);
                  }
                });
  }

 private:
  // As large as registers allow, even, and enough of them for the threads.
  int64_t NumBlocks() const {
    const int64_t vectors = (plane_.positions() + lanes_ - 1) / lanes_;
    const int64_t most = MostVectors(static_cast<int>(rows_), target_.has_avx512);
    const int64_t blocks = (vectors + most - 1) / most;
    if (blocks < int64_t{4} * target_.threads) return blocks;
    return std::min(RoundedUp(blocks, target_.threads), vectors);
  }

  // Too few blocks for the threads: each takes a share of the outputs.
  int64_t NumParts(int64_t blocks) const {
    return blocks % target_.threads == 0 ? 1 : target_.threads;
  }

  // Of what comes after a slice: the block's next one or the next block's first.
  template <typename T>
  SparsePrefetch PrefetchAfter(const SparsePart& part, const SparseSlice& slice,
                               const SparseBlock& block, const T* x) const {
    const SparseSlice* next = &slice + 1;
    const SparseBlock* where = &block;
    if (&slice == &part.slices.back()) {
      if (&block == &blocks_.back()) return {};
      next = &part.slices.front();
      where = &block + 1;
    }
    const auto size = static_cast<int64_t>(sizeof(T));
    return {x + next->first_channel * shape_.input_pixels() + where->input, where->inputs * size,
            next->channels, shape_.input_pixels() * size,
            static_cast<int64_t>(slice.groups.size())};
  }

  // Even slices.
  int64_t SliceChannels() const {
    const int64_t bytes = copies_->channel_elements() * static_cast<int64_t>(sizeof(float));
    const int64_t most = std::clamp<int64_t>(kSliceBytes / bytes, 1, shape_.in_channels);
    const int64_t slices = (shape_.in_channels + most - 1) / most;
    return (shape_.in_channels + slices - 1) / slices;
  }

  void MeasureScratch(const SparseCut& cut) {
    const int64_t row_floats = vectors_ * lanes_;
    int64_t most_rows = 0, places = 0;
    for (const SparsePart& part : parts_) {
      most_rows = std::max(most_rows, RoundedUp(part.outputs, rows_));
      for (const SparseSlice& slice : part.slices) {
        places += static_cast<int64_t>(slice.values.size());
      }
    }
    line_floats_ = RoundedUp(copies_->elements() + 2 * lanes_, 16);
    copy_floats_ = RoundedUp(copies_->channel_elements() * cut.slice_channels + lanes_, 16);
    sums_floats_ = most_rows * row_floats;
    scratch_floats_ =
        line_floats_ + copy_floats_ + sums_floats_ + RoundedUp(row_floats + lanes_, 16);
    task_work_ = places * row_floats / std::max<int64_t>(cut.parts, 1) / 16;
  }

  template <typename T>
  void RunTask(const SparsePart& part, const SparseBlock& block, const T* x,
               const SparseStore<T>& store, float* scratch) const {
    if (part.outputs == 0 || block.outputs.empty()) return;
    for (const SparseSlice& slice : part.slices) {
      WithLanes([&]<int kLanes, bool>() { CopySlice<kLanes>(slice, block, x, scratch); });
      WithLanes([&]<int kLanes, bool kIsWide>() {
        AddRows<kLanes, kIsWide>(part, slice, block, x, store, scratch);
      });
    }
    if (IsDirect(block)) return;
    WithLanes([&]<int kLanes, bool>() { StoreRows<kLanes>(part, block, store, scratch); });
  }

  template <typename Body>
  void WithLanes(const Body& body) const {
#if defined(__x86_64__)
    if (target_.has_avx512) return RunAvx512([&] { body.template operator()<16, true>(); });
#endif
    WithIsa(target_, [&] { body.template operator()<8, false>(); });
  }

  template <int kLanes, typename T>
  inline void CopySlice(const SparseSlice& slice, const SparseBlock& block, const T* x,
                        float* scratch) const {
    float *line = scratch, *copy = scratch + line_floats_;
    const T* channel = x + slice.first_channel * shape_.input_pixels();
    for (int64_t c = 0; c < slice.channels; ++c) {
      CopyChannel<kLanes>(*copies_, block.copies, plane_.step(), channel, line, copy);
      channel += shape_.input_pixels();
      copy += copies_->channel_elements();
    }
  }

  template <int kLanes, bool kIsWide, typename T>
  inline void AddRows(const SparsePart& part, const SparseSlice& slice, const SparseBlock& block,
                      const T* x, const SparseStore<T>& store, float* scratch) const {
    const SparsePrefetch prefetch = PrefetchAfter(part, slice, block, x);
    const auto with_rows = [&]<int kRows>() {
      WithVectors<MostVectors(kRows, kIsWide)>(block.vectors, [&]<int kVectors>() {
        AddVectors<kLanes, kRows, kVectors>(part, slice, block, prefetch, store, scratch);
      });
    };
    if (rows_ == 4) return with_rows.template operator()<4>();
    if (rows_ == 2) return with_rows.template operator()<2>();
    with_rows.template operator()<1>();
  }

  template <int kLanes, int kRows, int kVectors, typename T>
  inline void AddVectors(const SparsePart& part, const SparseSlice& slice, const SparseBlock& block,
                         SparsePrefetch prefetch, const SparseStore<T>& store,
                         float* scratch) const {
    using Sums = SparseSums<kLanes, kRows, kVectors>;
    constexpr int64_t kRow = int64_t{kVectors} * kLanes;
    const float* copy = scratch + line_floats_;
    float* kept = scratch + line_floats_ + copy_floats_;
    const float* bias = bias_.data() + part.first_output;
    const bool is_first = &slice == &part.slices.front();
    const bool is_stored = &slice == &part.slices.back() && IsDirect(block);
    const int64_t pixels = shape_.output_pixels();
    const int64_t first = part.first_output * pixels + block.outputs.front().pixel;
    AddSlice<kLanes, kRows, kVectors>(
        slice, copy,
        [&](int64_t row) {
          if (!is_stored) return;
          for (int r = 0; r < kRows; ++r) {
            store.template Expect<kLanes, kVectors>(first + (row + r) * pixels);
          }
        },
        [&](int64_t row, Sums* sums) {
          prefetch.Turn();
          if (is_first) return sums->Fill(bias + row);
          sums->Load(kept + row * kRow);
        },
        [&](int64_t row, const Sums& sums) {
          if (!is_stored) return sums.Store(kept + row * kRow);
          for (int r = 0; r < kRows; ++r) {
            if (row + r >= part.outputs) return;
            store.template PutVectors<kLanes, kVectors>(sums.at[r], first + (row + r) * pixels);
          }
        });
  }

  bool IsDirect(const SparseBlock& block) const { return block.is_whole && bounds_; }

  template <int kLanes, typename T>
  inline void StoreRows(const SparsePart& part, const SparseBlock& block,
                        const SparseStore<T>& store, float* scratch) const {
    float* kept = scratch + line_floats_ + copy_floats_;
    float* put_together = kept + sums_floats_;
    for (int64_t row = 0; row < part.outputs; ++row, kept += block.vectors * kLanes) {
      store.template PutRuns<kLanes>(block.outputs, kept, put_together,
                                     (part.first_output + row) * shape_.output_pixels());
    }
  }

  Target target_;
  ConvShape shape_;
  int64_t lanes_, rows_ = 1;
  TapPlane plane_;
  std::optional<SparseBounds> bounds_;
  std::optional<SparseCopies> copies_;
  std::vector<SparseBlock> blocks_;
  int64_t vectors_ = 0;  // of the largest block
  std::vector<SparsePart> parts_;
  std::vector<float> bias_;
  int64_t line_floats_ = 0, copy_floats_ = 0, sums_floats_ = 0, scratch_floats_ = 0;
  int64_t task_work_ = 0;
};

class OwnSparseConv : public Primitive {
 public:
  std::string_view Name() const override { return "own.sparse_conv"; }

  Support Supports(const LayerSpec& spec, const Target& target) const override {
    if (Support constant = RequireConstantConv(spec); !constant) return constant;
    if (spec.density > kMostDensity) return Support::No(Text("density=", spec.density));
    if (Support fits = ConvShapeSupport(spec); !fits) return fits;
    if (std::get<Conv>(spec.op).groups != 1) return Support::No("groups");
    // An offset within a slice has 16 bits.
    constexpr int64_t kMostElements = 1 << 16, kBlock = 256, kCopies = 9;
    const TapPlane plane(ConvShapeOf(spec), LanesOf(target));
    if ((plane.reach() + kBlock) * std::max(kCopies, plane.phases()) > kMostElements) {
      return Support::No("a window that reaches too far");
    }
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return {InLayout(Name(), spec, Layout::kPlain)};
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation&,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    const auto conv = std::make_shared<const SparseConv>(spec, target, weights);
    return VisitFloat(spec.output.dtype,
                      [&](auto type) { return MakeLayerKernel<decltype(type)>(conv, spec); });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnSparseConv() { return std::make_unique<OwnSparseConv>(); }

}  // namespace fettle
