// Means: over all places of a channel, in any layout, and over any axes, row-major.
#include <algorithm>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

template <typename T>
inline float SumRow(const T* x, int64_t count) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (int64_t i = 0; i < count; ++i) sum += Widen(x[i]);
  return sum;
}

// acc[i] += x[i], row after row.
template <typename T>
inline void SumRows(const T* x, int64_t rows, int64_t stride, int64_t count, float* acc) {
  std::fill_n(acc, count, 0.0f);
  for (int64_t row = 0; row < rows; ++row, x += stride) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) acc[i] += Widen(x[i]);
  }
}

// The mean over all places of each channel. Items are pieces of the lanes of a group; where an
// item's values go is `row` values a group apart: the lanes, or without padding the channels.
template <typename T>
void MeanOfPlaces(const Target& target, const ChannelView& view, bool is_packed, const T* x,
                  const Epilogue<T>& epilogue) {
  const int64_t pieces = (view.lanes + kPiece - 1) / kPiece;
  const int64_t items = view.batch * view.groups * pieces;
  const float share = 1.0f / static_cast<float>(view.space);
  const int64_t work = view.space * std::min(view.lanes, kPiece);
  ParallelFor(target, items, work, [&](int64_t begin, int64_t end, int64_t) {
    WithIsa(target, [&] {
      alignas(64) float acc[kPiece];
      for (int64_t item = begin; item < end; ++item) {
        const int64_t group = item / pieces, lane = item % pieces * kPiece;
        const T* from = x + group * view.space * view.lanes + lane;
        int64_t count = std::min(kPiece, view.lanes - lane);
        if (view.lanes == 1) {
          acc[0] = SumRow(from, view.space);
        } else {
          SumRows(from, view.space, view.lanes, count, acc);
        }
        for (int64_t i = 0; i < count; ++i) acc[i] *= share;
        int64_t offset = group * view.lanes + lane;
        if (is_packed) {
          const int64_t n = group / view.groups, g = group % view.groups;
          offset = n * view.channels + g * view.lanes + lane;
          count = std::min(count, view.LanesOf(g) - lane);
        }
        epilogue.Store(acc, count, offset);
      }
    });
  });
}

// Whether the reduction is a global average pool by another name.
bool IsOverPlaces(const LayerSpec& spec) {
  if (std::holds_alternative<GlobalAveragePool>(spec.op)) return true;
  const size_t rank = spec.inputs[0].shape.size();
  const std::vector<int64_t>& axes = std::get<ReduceMean>(spec.op).axes;
  if (rank < 3 || axes.size() != rank - 2) return false;
  return axes.front() == 2;  // they ascend
}

class OwnGlobalAveragePool : public Primitive {
 public:
  std::string_view Name() const override { return "own.global_average_pool"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<GlobalAveragePool>(spec.op) &&
        !std::holds_alternative<ReduceMean>(spec.op)) {
      return Support::No("not a mean");
    }
    if (!IsOverPlaces(spec)) return Support::No("a mean over other axes than the spatial ones");
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all;
    for (Layout layout : kAllLayouts) {
      if (!CanHave(spec.inputs[0].shape, layout)) continue;
      // [N,C] has no layout but the plain one, and so has a residual of that shape.
      const Layout output = CanHave(spec.output.shape, layout) ? layout : Layout::kPlain;
      Implementation implementation{std::string(Name()), 1, {layout}, output, std::nullopt};
      if (spec.adds_residual) implementation.inputs.push_back(output);
      all.push_back(implementation);
    }
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const ChannelView view = ViewOf(spec.inputs[0].shape, implementation.inputs[0]);
    const bool is_packed = implementation.output == Layout::kPlain;
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel(
          [=, layout = implementation.output](KernelInputs inputs, std::byte* output, std::byte*) {
            MeanOfPlaces(target, view, is_packed, As<T>(inputs[0]),
                         EpilogueOf<T>(spec, inputs, output));
            if (!is_packed) ZeroPadding(ViewOf(spec.output.shape, layout), sizeof(T), output);
          });
    });
  }
};

// The input's axes, neighbours that are both kept or both reduced merged.
struct Reduction {
  Shape extents;
  std::vector<bool> is_reduced;
  float share = 1;
};

Reduction ReductionOf(const ReduceMean& op, const Shape& shape) {
  Reduction reduction;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const bool is_reduced =
        std::binary_search(op.axes.begin(), op.axes.end(), static_cast<int64_t>(axis));
    if (is_reduced) reduction.share /= static_cast<float>(shape[axis]);
    if (!reduction.extents.empty() && reduction.is_reduced.back() == is_reduced) {
      reduction.extents.back() *= shape[axis];
    } else {
      reduction.extents.push_back(shape[axis]);
      reduction.is_reduced.push_back(is_reduced);
    }
  }
  if (reduction.extents.empty()) reduction = {{1}, {false}, 1};
  return reduction;
}

// Adds the input, row by row, to sums[output element].
template <typename T>
void AddRows(const Reduction& reduction, const T* x, float* sums) {
  const size_t last = reduction.extents.size() - 1;
  const int64_t columns = reduction.extents[last];
  const int64_t rows = Volume(reduction.extents, 0, last);
  for (int64_t row = 0; row < rows; ++row, x += columns) {
    int64_t rest = row, offset = 0, stride = reduction.is_reduced[last] ? 1 : columns;
    for (size_t axis = last; axis-- > 0; rest /= reduction.extents[axis]) {
      if (reduction.is_reduced[axis]) continue;
      offset += rest % reduction.extents[axis] * stride;
      stride *= reduction.extents[axis];
    }
    float* to = sums + offset;
    if (reduction.is_reduced[last]) {
      *to += SumRow(x, columns);
    } else {
#pragma omp simd
      for (int64_t i = 0; i < columns; ++i) to[i] += Widen(x[i]);
    }
  }
}

// Over any axes, in one thread: the sums need the whole output in f32.
class OwnReduceMean : public Primitive {
 public:
  std::string_view Name() const override { return "own.reduce_mean"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const bool is_one = std::holds_alternative<ReduceMean>(spec.op);
    return is_one ? RequireOneFloat(spec) : Support::No("not a reduce_mean");
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return {InLayout(Name(), spec, Layout::kPlain)};
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation&,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const Reduction reduction = ReductionOf(std::get<ReduceMean>(spec.op), spec.inputs[0].shape);
    const int64_t count = ElementCount(spec.output);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel(
          [=](KernelInputs inputs, std::byte* output, std::byte* workspace) {
            auto* sums = As<float>(workspace);
            std::fill_n(sums, count, 0.0f);
            const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
            WithIsa(target, [&] {
              AddRows(reduction, As<T>(inputs[0]), sums);
              MapRow(count, sums, [share = reduction.share](float x) { return x * share; });
              epilogue.Store(sums, count, 0);
            });
          },
          static_cast<size_t>(count) * sizeof(float));
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnGlobalAveragePool() {
  return std::make_unique<OwnGlobalAveragePool>();
}
std::unique_ptr<Primitive> MakeOwnReduceMean() { return std::make_unique<OwnReduceMean>(); }

}  // namespace fettle
