#include <algorithm>
#include <cstdlib>
#include <limits>
#include <memory>

#include "fettle/core/error.h"
#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/own_sparse_filters.h"
#include "fettle/primitives/own_sparse_sums.h"
#include "fettle/primitives/own_tap_plane.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

int64_t Env(const char* name, int64_t otherwise) {
  const char* text = std::getenv(name);
  return text ? std::atoll(text) : otherwise;
}

constexpr int64_t kMostVectors = 14;
constexpr int64_t kSlack = 32;  // floats that may be written behind what is copied

// A block of positions: its size, and what is copied for it and from it.
struct SparseBlock {
  int64_t vectors = 0;
  std::vector<std::vector<CopyRun>> copies;  // of each phase
  std::vector<OutputRun> outputs;
  bool is_whole = false;  // all are outputs
};

struct SparsePlan {
  int64_t lanes = 16, rows = 1;
  int64_t vectors = 1;  // of the largest block
  int64_t copy_floats = 0, sums_floats = 0, scratch_floats = 0;
  std::vector<SparseBlock> blocks;
};

template <int kLanes, int kStep, typename T>
inline void CopyElements(const T* from, int64_t count, int64_t step, float* to) {
  if constexpr (kStep == 1) {
    int64_t i = 0;
    for (; i + kLanes <= count; i += kLanes) {
      Vector<kLanes> v;
      LoadVector<kLanes>(from + i, &v);
      StoreVector<kLanes>(v, to + i);
    }
    if (i == count) return;
    if (count >= kLanes) {
      Vector<kLanes> v;
      LoadVector<kLanes>(from + count - kLanes, &v);
      StoreVector<kLanes>(v, to + count - kLanes);
      return;
    }
    if constexpr (kLanes > 4) {
      CopyElements<kLanes / 2, 1>(from + i, count - i, step, to + i);
    } else {
      for (; i < count; ++i) to[i] = Widen(from[i]);
    }
  } else if (step == 2) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) to[i] = Widen(from[i * 2]);
  } else {
    for (int64_t i = 0; i < count; ++i) to[i] = Widen(from[i * step]);
  }
}

class SparseConv {
 public:
  SparseConv(const LayerSpec& spec, const Target& target, std::span<const Tensor* const> weights)
      : target_(target), shape_(ConvShapeOf(spec)), plane_(shape_) {
    const std::vector<float> filters = WidenedValues(*weights[0]);
    if (weights.size() > 1) bias_ = WidenedValues(*weights[1]);
    plan_.rows = SharedRows(filters, shape_.out_channels);
    bias_.resize(static_cast<size_t>(RoundedUp(shape_.out_channels, plan_.rows)), 0);
    constexpr float kInfinity = std::numeric_limits<float>::infinity();
    if (!spec.activation) {
      clamp_ = {-kInfinity, kInfinity};
    } else if (spec.activation->kind == ActivationKind::kRelu) {
      clamp_ = {0.0f, kInfinity};
    } else if (spec.activation->kind == ActivationKind::kClip) {
      clamp_ = {spec.activation->alpha, spec.activation->beta};
    }
    SparseCut cut = MakePlan();
    parts_ = CutFilters(filters, shape_.out_channels, shape_.in_channels, plane_, cut);
    int64_t most_rows = 0;
    for (const SparsePart& part : parts_) {
      most_rows = std::max(most_rows, RoundedUp(part.outputs, plan_.rows));
    }
    plan_.sums_floats = most_rows * plan_.vectors * plan_.lanes;
    plan_.scratch_floats = plan_.copy_floats + plan_.sums_floats + 2 * plan_.rows * plan_.vectors * plan_.lanes + 2 * kSlack;
  }

  size_t WorkspaceBytes() const {
    return static_cast<size_t>(target_.threads * plan_.scratch_floats) * sizeof(float);
  }
  size_t WeightBytes() const {
    size_t bytes = bias_.size() * sizeof(float);
    for (const SparsePart& part : parts_) {
      for (const SparseSlice& slice : part.slices) bytes += slice.Bytes();
    }
    return bytes;
  }

  template <typename T>
  void Run(const T* x, const Epilogue<T>& epilogue, float* workspace) const {
    const auto blocks = static_cast<int64_t>(plan_.blocks.size());
    const auto parts = static_cast<int64_t>(parts_.size());
    const int64_t work = 1 << 20;
    ParallelFor(target_, blocks * parts, work, [&](int64_t begin, int64_t end, int64_t index) {
      float* scratch = workspace + index * plan_.scratch_floats;
      for (int64_t task = begin; task < end; ++task) {
        const SparsePart& part = parts_[static_cast<size_t>(task / blocks)];
        const SparseBlock& block = plan_.blocks[static_cast<size_t>(task % blocks)];
        RunBlock(part, block, x, epilogue, scratch);
      }
    });
  }

 private:
  SparseCut MakePlan() {
    plan_.lanes = target_.has_avx512 ? 16 : 8;
    const int64_t vectors = (plane_.positions() + plan_.lanes - 1) / plan_.lanes;
    const int64_t most = std::min<int64_t>(Env("SPV", 8), kMostVectors);
    int64_t blocks = (vectors + most - 1) / most;
    int64_t parts = 1;
    if (blocks >= int64_t{4} * target_.threads) {
      blocks = std::min(RoundedUp(blocks, target_.threads), vectors);
    } else if (blocks % target_.threads != 0) {
      parts = target_.threads;
    }
    for (int64_t i = 0; i < blocks; ++i) {
      const int64_t first = vectors * i / blocks, last = vectors * (i + 1) / blocks;
      SparseBlock block;
      block.vectors = last - first;
      plan_.vectors = std::max(plan_.vectors, block.vectors);
      const int64_t position = first * plan_.lanes, count = block.vectors * plan_.lanes;
      for (int64_t phase = 0; phase < plane_.phases(); ++phase) {
        block.copies.push_back(plane_.CopyRuns(phase, position, count));
      }
      block.outputs = plane_.OutputRuns(position, count);
      block.is_whole = block.outputs.size() == 1 && block.outputs[0].count == count;
      plan_.blocks.push_back(std::move(block));
    }
    SparseCut cut;
    cut.rows = plan_.rows;
    cut.parts = parts;
    cut.copy_elements = RoundedUp(plan_.vectors * plan_.lanes + plane_.reach(), plan_.lanes);
    const int64_t channel_bytes = cut.copy_elements * plane_.phases() * 4;
    const int64_t most_channels =
        std::clamp<int64_t>(Env("SPS", 24) * 1024 / channel_bytes, 1, shape_.in_channels);
    const int64_t slices = (shape_.in_channels + most_channels - 1) / most_channels;
    cut.slice_channels = (shape_.in_channels + slices - 1) / slices;
    plan_.copy_floats = cut.copy_elements * plane_.phases() * cut.slice_channels + kSlack;
    return cut;
  }

  template <int kLanes, typename T>
  inline void CopySlice(const SparseSlice& slice, const SparseBlock& block, const T* x,
                        float* copy) const {
    const int64_t elements = RoundedUp(plan_.vectors * plan_.lanes + plane_.reach(), plan_.lanes);
    const int64_t step = plane_.step();
    for (int64_t c = 0; c < slice.channels; ++c) {
      const T* channel = x + (slice.first_channel + c) * shape_.input_pixels();
      for (const std::vector<CopyRun>& runs : block.copies) {
        for (const CopyRun& run : runs) {
          float* to = copy + run.to;
          if (run.from < 0) {
            std::fill_n(to, run.count, 0.0f);
          } else if (step == 1) {
            CopyElements<kLanes, 1>(channel + run.from, run.count, 1, to);
          } else {
            CopyElements<kLanes, 0>(channel + run.from, run.count, step, to);
          }
        }
        copy += elements;
      }
    }
  }

  template <typename T>
  void RunBlock(const SparsePart& part, const SparseBlock& block, const T* x,
                const Epilogue<T>& epilogue, float* scratch) const {
    const auto run = [&]<int kLanes, int kRows, int kMost>() {
      WithVectors<kMost>(block.vectors, [&]<int kVectors>() {
        RunVectors<kLanes, kRows, kVectors>(part, block, x, epilogue, scratch);
      });
    };
#if defined(__x86_64__)
    if (target_.has_avx512) {
      return RunAvx512([&] { run.template operator()<16, 1, kMostVectors>(); });
    }
#endif
    WithIsa(target_, [&] { run.template operator()<8, 1, kMostVectors>(); });
  }

  template <int kLanes, int kRows, int kVectors, typename T>
  inline void RunVectors(const SparsePart& part, const SparseBlock& block, const T* x,
                         const Epilogue<T>& epilogue, float* scratch) const {
    using Sums = SparseSums<kLanes, kRows, kVectors>;
    constexpr int64_t kStride = int64_t{kVectors} * kLanes;
    float *copy = scratch, *kept = copy + plan_.copy_floats, *row = kept + plan_.sums_floats;
    const SparseSlice *first = &part.slices.front(), *last = &part.slices.back();
    const float* bias = bias_.data() + part.first_output;
    const auto fill = [&](int64_t group, Sums* sums) { sums->Fill(bias + group * kRows); };
    const auto load = [&](int64_t group, Sums* sums) { sums->Load(kept + group * kRows * kStride); };
    const auto keep = [&](int64_t group, const Sums& sums) {
      sums.Store(kept + group * kRows * kStride);
    };
    const auto finish = [&](int64_t group, const Sums& sums) {
      Finish(part, block, group, sums, row, epilogue);
    };
    static const int pf = Env("SPP", 1);
    const auto none = [](int64_t) {};
    const auto ahead = [&](int64_t group) {
      if (!pf) return;
      const OutputRun &front = block.outputs.front(), &back = block.outputs.back();
      for (int64_t r = group * kRows; r < std::min((group + 1) * kRows, part.outputs); ++r) {
        const int64_t offset = (part.first_output + r) * shape_.output_pixels();
        const int64_t length = back.pixel + back.count - front.pixel;
        for (int64_t i = 0; i < length; i += 64 / sizeof(T)) {
          __builtin_prefetch(epilogue.output + offset + front.pixel + i, 1);
        }
      }
    };
    for (const SparseSlice* slice = first; slice <= last; ++slice) {
      CopySlice<kLanes>(*slice, block, x, copy);
      if (slice == first && slice == last) {
        AddSlice<kLanes, kRows, kVectors>(*slice, copy, ahead, fill, finish);
      } else if (slice == first) {
        AddSlice<kLanes, kRows, kVectors>(*slice, copy, none, fill, keep);
      } else if (slice != last) {
        AddSlice<kLanes, kRows, kVectors>(*slice, copy, none, load, keep);
      } else {
        AddSlice<kLanes, kRows, kVectors>(*slice, copy, ahead, load, finish);
      }
    }
  }

  template <int kLanes, int kRows, int kVectors, typename T>
  inline void Finish(const SparsePart& part, const SparseBlock& block, int64_t group,
                     const SparseSums<kLanes, kRows, kVectors>& sums, float* row,
                     const Epilogue<T>& epilogue) const {
    constexpr int64_t kStride = int64_t{kVectors} * kLanes;
    const int64_t first = group * kRows, rows = std::min<int64_t>(kRows, part.outputs - first);
    if (block.is_whole && clamp_) {
      for (int r = 0; r < kRows; ++r) {
        if (r >= rows) break;
        const int64_t offset =
            (part.first_output + first + r) * shape_.output_pixels() + block.outputs[0].pixel;
        for (int v = 0; v < kVectors; ++v) {
          StoreClamped<kLanes>(sums.at[r][v], offset + int64_t{v} * kLanes, epilogue);
        }
      }
      return;
    }
    sums.Store(row);
    for (int64_t r = 0; r < rows; ++r) {
      StoreRow<kLanes>(block, part.first_output + first + r, row + r * kStride,
                       row + kRows * kStride, epilogue);
    }
  }

  template <int kLanes, typename T>
  inline void StoreClamped(Vector<kLanes> v, int64_t offset, const Epilogue<T>& epilogue) const {
    if (epilogue.residual != nullptr) {
      Vector<kLanes> residual;
      LoadVector<kLanes>(epilogue.residual + offset, &residual);
      v += residual;
    }
    v = v < clamp_->first ? Vector<kLanes>{} + clamp_->first : v;
    v = v > clamp_->second ? Vector<kLanes>{} + clamp_->second : v;
    StoreVector<kLanes>(v, epilogue.output + offset);
  }

  template <int kLanes, typename T>
  inline void StoreRun(float* values, int64_t count, int64_t offset,
                       const Epilogue<T>& epilogue) const {
    if (!clamp_ || count < kLanes) return epilogue.Store(values, count, offset);
    for (int64_t i = 0; i < count; i += kLanes) {
      i = std::min(i, count - kLanes);
      Vector<kLanes> v;
      LoadVector<kLanes>(values + i, &v);
      StoreClamped<kLanes>(v, offset + i, epilogue);
    }
  }

  // One row of sums to the output channel.
  template <int kLanes, typename T>
  inline void StoreRow(const SparseBlock& block, int64_t output, float* sums, float* row,
                       const Epilogue<T>& epilogue) const {
    const int64_t channel = output * shape_.output_pixels();
    const std::vector<OutputRun>& runs = block.outputs;
    // Runs that are neighbours in the output are stored as one.
    for (size_t i = 0; i < runs.size();) {
      if (runs[i].count >= 2 * kLanes) {
        StoreRun<kLanes>(sums + runs[i].from, runs[i].count, channel + runs[i].pixel, epilogue);
        ++i;
        continue;
      }
      const int64_t first = runs[i].pixel;
      int64_t count = 0;
      for (; i < runs.size() && runs[i].pixel == first + count; ++i) {
        for (int64_t k = 0; k < runs[i].count; k += kLanes) {
          Vector<kLanes> v;
          LoadVector<kLanes>(sums + runs[i].from + k, &v);
          StoreVector<kLanes>(v, row + count + k);
        }
        count += runs[i].count;
      }
      StoreRun<kLanes>(row, count, channel + first, epilogue);
    }
  }

  Target target_;
  ConvShape shape_;
  TapPlane plane_;
  SparsePlan plan_;
  std::vector<float> bias_;
  std::optional<std::pair<float, float>> clamp_;
  std::vector<SparsePart> parts_;
};

class OwnSparseConv : public Primitive {
 public:
  std::string_view Name() const override { return "own.sparse_conv"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<Conv>(spec.op)) return Support::No("not a convolution");
    if (spec.weights.empty()) return Support::No("filters that are no constants");
    if (NumOperatorInputs(spec) != 1) return Support::No("a bias that is no constant");
    if (Support fits = ConvShapeSupport(spec); !fits) return fits;
    if (std::get<Conv>(spec.op).groups != 1) return Support::No("groups");
    if (spec.density > 0.5) return Support::No(Text("density=", spec.density, ": too few zeros"));
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return {InLayout(Name(), spec, Layout::kPlain)};
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation&,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    auto conv = std::make_shared<const SparseConv>(spec, target, weights);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel(
          [=](KernelInputs inputs, std::byte* output, std::byte* workspace) {
            conv->Run(As<T>(inputs[0]), EpilogueOf<T>(spec, inputs, output), As<float>(workspace));
          },
          conv->WorkspaceBytes(), conv->WeightBytes());
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnSparseConv() { return std::make_unique<OwnSparseConv>(); }

}  // namespace fettle
