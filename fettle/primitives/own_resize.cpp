#include <algorithm>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"
#include "fettle/primitives/resize_coordinates.h"

namespace fettle {
namespace {

// Taps of the last two axes; one spatial axis has a single row.
struct Interpolation {
  ChannelView input, output;
  int64_t width = 1;  // of the input
  std::vector<ResizeTap> y = {ResizeTap{}}, x;
};

Interpolation InterpolationOf(const LayerSpec& spec, Layout layout) {
  const auto& op = std::get<Resize>(spec.op);
  const Shape& input = spec.inputs[0].shape;
  Interpolation result;
  result.input = ViewOf(input, layout);
  result.output = ViewOf(spec.output.shape, layout);
  result.width = input.back();
  result.x = ResizeTaps(op, input.size() - 1, input.back());
  if (input.size() == 4) result.y = ResizeTaps(op, 2, input[2]);
  return result;
}

inline float Mix(float low, float high, float weight) { return low + weight * (high - low); }

// Some lanes of one output, from four places of the input.
template <typename T>
inline void MixLanes(const T* top, const T* bottom, const ResizeTap& x, float y_weight,
                     int64_t lanes, int64_t count, float* to) {
  const T *a = top + x.low * lanes, *b = top + x.high * lanes;
  const T *c = bottom + x.low * lanes, *d = bottom + x.high * lanes;
  const float weight = x.weight;
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) {
    to[i] =
        Mix(Mix(Widen(a[i]), Widen(b[i]), weight), Mix(Widen(c[i]), Widen(d[i]), weight), y_weight);
  }
}

// One row of outputs: `row` counts images, groups and rows.
template <typename T>
inline void ResizeRow(const Interpolation& how, int64_t row, const T* x,
                      const Epilogue<T>& epilogue) {
  const auto height = static_cast<int64_t>(how.y.size()),
             width = static_cast<int64_t>(how.x.size());
  const int64_t lanes = how.input.lanes;
  const ResizeTap& y = how.y[static_cast<size_t>(row % height)];
  const T* plane = x + row / height * how.input.space * lanes;
  const T* top = plane + y.low * how.width * lanes;
  const T* bottom = plane + y.high * how.width * lanes;
  alignas(64) float piece[kPiece];
  if (lanes == 1) {
    for (int64_t ox = 0; ox < width; ox += kPiece) {
      const int64_t count = std::min(kPiece, width - ox);
      for (int64_t i = 0; i < count; ++i) {
        MixLanes(top, bottom, how.x[static_cast<size_t>(ox + i)], y.weight, 1, 1, piece + i);
      }
      epilogue.Store(piece, count, row * width + ox);
    }
    return;
  }
  for (int64_t ox = 0; ox < width; ++ox) {
    for (int64_t lane = 0; lane < lanes; lane += kPiece) {
      const int64_t count = std::min(kPiece, lanes - lane);
      MixLanes(top + lane, bottom + lane, how.x[static_cast<size_t>(ox)], y.weight, lanes, count,
               piece);
      epilogue.Store(piece, count, (row * width + ox) * lanes + lane);
    }
  }
}

// Whether an axis comes out as it went in.
bool IsUntouched(const LayerSpec& spec, size_t axis) {
  const int64_t extent = spec.inputs[0].shape[axis];
  if (spec.output.shape[axis] != extent) return false;
  const std::vector<ResizeTap> taps = ResizeTaps(std::get<Resize>(spec.op), axis, extent);
  for (size_t i = 0; i < taps.size(); ++i) {
    if (taps[i].low != static_cast<int64_t>(i) || taps[i].weight != 0) return false;
  }
  return true;
}

class OwnResizeLinear : public Primitive {
 public:
  std::string_view Name() const override { return "own.resize_linear"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    const auto* op = std::get_if<Resize>(&spec.op);
    if (op == nullptr || op->mode != ResizeMode::kLinear) return Support::No("not a linear resize");
    const size_t rank = spec.output.shape.size();
    if (rank != 3 && rank != 4) return Support::No("only one or two spatial axes");
    if (!IsUntouched(spec, 0) || !IsUntouched(spec, 1)) {
      return Support::No("batch or channels are resized");
    }
    return RequireOneFloat(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return InEveryLayout(Name(), spec);
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const Interpolation how = InterpolationOf(spec, implementation.output);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel([=](KernelInputs inputs, std::byte* output, std::byte*) {
        const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
        const auto height = static_cast<int64_t>(how.y.size());
        const int64_t rows = how.output.batch * how.output.groups * height;
        const int64_t work = static_cast<int64_t>(how.x.size()) * how.output.lanes * 4;
        ParallelFor(target, rows, work, [&](int64_t begin, int64_t end, int64_t) {
          WithIsa(target, [&] {
            for (int64_t row = begin; row < end; ++row) {
              ResizeRow(how, row, As<T>(inputs[0]), epilogue);
            }
          });
        });
        ZeroPadding(how.output, sizeof(T), output);
      });
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnResizeLinear() { return std::make_unique<OwnResizeLinear>(); }

}  // namespace fettle
