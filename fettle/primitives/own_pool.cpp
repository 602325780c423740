#include <algorithm>
#include <limits>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

struct Pooling {
  bool is_max = true;
  WindowPlane plane;
  ChannelView input, output;
  // Of a mean: one over the elements counted along each axis; an output's divisor is their product.
  std::vector<float> y_share, x_share;
};

// One over what the windows along an axis count, for each output.
std::vector<float> Shares(const WindowAxis& axis, bool count_include_pad) {
  const int64_t first = count_include_pad ? -axis.pad_begin : 0;
  const int64_t last = axis.input + (count_include_pad ? axis.pad_end : 0);
  std::vector<float> shares;
  for (int64_t output = 0; output < axis.output; ++output) {
    int64_t counted = 0;
    for (int64_t tap = 0; tap < axis.kernel; ++tap) {
      const int64_t at = output * axis.stride + axis.Offset(tap);
      counted += at >= first && at < last ? 1 : 0;
    }
    shares.push_back(counted == 0 ? 0.0f : 1.0f / static_cast<float>(counted));
  }
  return shares;
}

// Calls visit(input index, tap) for the taps of one output that lie inside.
template <typename Visit>
inline void VisitTaps(const WindowAxis& axis, int64_t output, const Visit& visit) {
  const int64_t start = output * axis.stride - axis.pad_begin;
  for (int64_t tap = 0, at = start; tap < axis.kernel; ++tap, at += axis.dilation) {
    if (at >= 0 && at < axis.input) visit(at, tap);
  }
}

inline float StartOf(const Pooling& pooling) {
  return pooling.is_max ? -std::numeric_limits<float>::infinity() : 0.0f;
}

// acc[i] takes x[i * stride] in.
template <typename T>
inline void Accumulate(bool is_max, const T* x, int64_t stride, int64_t count, float* acc) {
  if (stride == 1 && is_max) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) acc[i] = acc[i] < Widen(x[i]) ? Widen(x[i]) : acc[i];
  } else if (stride == 1) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) acc[i] += Widen(x[i]);
  } else {
    for (int64_t i = 0; i < count; ++i) {
      const float value = Widen(x[i * stride]);
      acc[i] = is_max ? (acc[i] < value ? value : acc[i]) : acc[i] + value;
    }
  }
}

// One row of outputs of one channel (lanes == 1): each tap is a row of the input.
template <typename T>
inline void PoolRow(const Pooling& pooling, const T* x, int64_t oy, int64_t first, int64_t count,
                    float* acc) {
  const WindowAxis& axis = pooling.plane.x;
  std::fill_n(acc, count, StartOf(pooling));
  VisitTaps(pooling.plane.y, oy, [&](int64_t iy, int64_t) {
    for (int64_t tap = 0; tap < axis.kernel; ++tap) {
      const int64_t begin = std::max(axis.FirstOutput(tap), first);
      const int64_t end = std::min(axis.LastOutput(tap), first + count);
      if (begin >= end) continue;
      Accumulate(pooling.is_max, x + iy * axis.input + begin * axis.stride + axis.Offset(tap),
                 axis.stride, end - begin, acc + (begin - first));
    }
  });
  if (pooling.is_max) return;
  const float y_share = pooling.y_share[static_cast<size_t>(oy)];
  for (int64_t i = 0; i < count; ++i) {
    acc[i] *= y_share * pooling.x_share[static_cast<size_t>(first + i)];
  }
}

// Some lanes of one output.
template <typename T>
inline void PoolLanes(const Pooling& pooling, const T* x, int64_t oy, int64_t ox, int64_t count,
                      float* acc) {
  const int64_t lanes = pooling.input.lanes, width = pooling.plane.x.input;
  std::fill_n(acc, count, StartOf(pooling));
  VisitTaps(pooling.plane.y, oy, [&](int64_t iy, int64_t) {
    VisitTaps(pooling.plane.x, ox, [&](int64_t ix, int64_t) {
      Accumulate(pooling.is_max, x + (iy * width + ix) * lanes, 1, count, acc);
    });
  });
  if (pooling.is_max) return;
  const float share =
      pooling.y_share[static_cast<size_t>(oy)] * pooling.x_share[static_cast<size_t>(ox)];
  for (int64_t i = 0; i < count; ++i) acc[i] *= share;
}

// One row of outputs: `row` counts images, groups and rows.
template <typename T>
inline void PoolOutputRow(const Pooling& pooling, int64_t row, const T* x,
                          const Epilogue<T>& epilogue) {
  const int64_t height = pooling.plane.y.output, width = pooling.plane.x.output;
  const int64_t lanes = pooling.input.lanes;
  const int64_t group = row / height, oy = row % height;
  const T* from = x + group * pooling.input.space * lanes;
  alignas(64) float acc[kPiece];
  if (lanes == 1) {
    for (int64_t ox = 0; ox < width; ox += kPiece) {
      const int64_t count = std::min(kPiece, width - ox);
      PoolRow(pooling, from, oy, ox, count, acc);
      epilogue.Store(acc, count, row * width + ox);
    }
    return;
  }
  for (int64_t ox = 0; ox < width; ++ox) {
    for (int64_t lane = 0; lane < lanes; lane += kPiece) {
      const int64_t count = std::min(kPiece, lanes - lane);
      PoolLanes(pooling, from + lane, oy, ox, count, acc);
      epilogue.Store(acc, count, (row * width + ox) * lanes + lane);
    }
  }
}

class OwnPool : public Primitive {
 public:
  std::string_view Name() const override { return "own.pool"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    return std::holds_alternative<Pool>(spec.op) ? RequireOneFloat(spec)
                                                 : Support::No("not a pool");
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return InEveryLayout(Name(), spec);
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const auto& op = std::get<Pool>(spec.op);
    const Layout layout = implementation.output;
    Pooling pooling{op.kind == PoolKind::kMax,
                    PlaneOf(op.window, spec.inputs[0].shape, spec.output.shape),
                    ViewOf(spec.inputs[0].shape, layout),
                    ViewOf(spec.output.shape, layout),
                    {},
                    {}};
    pooling.y_share = Shares(pooling.plane.y, op.count_include_pad);
    pooling.x_share = Shares(pooling.plane.x, op.count_include_pad);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel([=](KernelInputs inputs, std::byte* output, std::byte*) {
        const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
        const ChannelView& to = pooling.output;
        const int64_t rows = to.batch * to.groups * pooling.plane.y.output;
        const int64_t work =
            pooling.plane.x.output * to.lanes * pooling.plane.y.kernel * pooling.plane.x.kernel;
        ParallelFor(target, rows, work, [&](int64_t begin, int64_t end, int64_t) {
          WithIsa(target, [&] {
            for (int64_t row = begin; row < end; ++row) {
              PoolOutputRow(pooling, row, As<T>(inputs[0]), epilogue);
            }
          });
        });
        ZeroPadding(to, sizeof(T), output);
      });
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnPool() { return std::make_unique<OwnPool>(); }

}  // namespace fettle
