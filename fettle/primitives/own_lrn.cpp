#include <algorithm>
#include <cmath>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// All channels of some places of an image, as channels x places: one place where the channels are
// lanes, a stretch of a plane where they are not. A neighbouring channel is then `places` further
// on, and the window is a sum of shifted copies of the squares.
struct Tile {
  int64_t places = 1;
  float *values, *squares, *sums;
};

constexpr int64_t kTileElements = 4096;

int64_t TilePlaces(const ChannelView& view) {
  if (view.lanes > 1) return 1;
  return std::clamp<int64_t>(kTileElements / std::max<int64_t>(view.channels, 1), 1, 256);
}

// y = x * (bias + alpha / size * sum) ^ -beta, for the usual beta without a power.
inline void Normalise(const Lrn& op, int64_t count, const Tile& tile) {
  const float scale = op.alpha / static_cast<float>(op.size), bias = op.bias;
  if (op.beta == 0.75f) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) {
      const float root = std::sqrt(bias + scale * tile.sums[i]);
      tile.values[i] /= root * std::sqrt(root);
    }
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    tile.values[i] *= std::pow(bias + scale * tile.sums[i], -op.beta);
  }
}

inline void ComputeTile(const Lrn& op, int64_t channels, const Tile& tile) {
  const int64_t count = channels * tile.places;
  const float* squares = tile.squares;
  float* sums = tile.sums;
#pragma omp simd
  for (int64_t i = 0; i < count; ++i) tile.squares[i] = tile.values[i] * tile.values[i];
  std::fill_n(sums, count, 0.0f);
  const int64_t before = (op.size - 1) / 2;
  const int64_t nearest = std::max(-before, -channels), farthest = std::min(op.size / 2, channels);
  for (int64_t channel = nearest; channel <= farthest; ++channel) {
    const int64_t shift = channel * tile.places;
    const int64_t first = std::max<int64_t>(-shift, 0), last = std::min(count - shift, count);
#pragma omp simd
    for (int64_t i = first; i < last; ++i) sums[i] += squares[i + shift];
  }
  Normalise(op, count, tile);
}

// The rows of a tile as they lie in memory: a channel's places, or a group's lanes.
template <typename T>
inline void RunTile(const Lrn& op, const ChannelView& view, int64_t n, int64_t place,
                    const Tile& tile, const T* x, const Epilogue<T>& epilogue) {
  const auto offset = [&](int64_t group) {
    return ((n * view.groups + group) * view.space + place) * view.lanes;
  };
  const auto length = [&](int64_t group) {
    return view.lanes == 1 ? tile.places : view.LanesOf(group);
  };
  const int64_t row = view.lanes == 1 ? tile.places : view.lanes;
  for (int64_t g = 0; g < view.groups; ++g) {
    WidenRow(x + offset(g), length(g), tile.values + g * row);
  }
  ComputeTile(op, view.channels, tile);
  for (int64_t g = 0; g < view.groups; ++g) {
    epilogue.Store(tile.values + g * row, length(g), offset(g));
  }
}

class OwnLrn : public Primitive {
 public:
  std::string_view Name() const override { return "own.lrn"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    return std::holds_alternative<Lrn>(spec.op) ? RequireOneFloat(spec) : Support::No("not an lrn");
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    return InEveryLayout(Name(), spec);
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const ChannelView view = ViewOf(spec.output.shape, implementation.output);
    const int64_t places = TilePlaces(view);
    // Of each thread: values, squares and sums.
    const int64_t floats = view.channels * places;
    const auto workspace_bytes =
        static_cast<size_t>(int64_t{target.threads} * 3 * floats) * sizeof(float);
    return VisitFloat(spec.output.dtype, [&](auto type) {
      using T = decltype(type);
      return MakeKernel(
          [=, op = std::get<Lrn>(spec.op)](KernelInputs inputs, std::byte* output,
                                           std::byte* workspace) {
            const Epilogue<T> epilogue = EpilogueOf<T>(spec, inputs, output);
            const int64_t pieces = (view.space + places - 1) / places;
            const int64_t work = floats * (op.size + 8);
            ParallelFor(
                target, view.batch * pieces, work, [&](int64_t begin, int64_t end, int64_t part) {
                  float* own = As<float>(workspace) + part * 3 * floats;
                  WithIsa(target, [&] {
                    for (int64_t item = begin; item < end; ++item) {
                      const int64_t place = item % pieces * places;
                      const Tile tile{std::min(places, view.space - place), own, own + floats,
                                      own + 2 * floats};
                      RunTile(op, view, item / pieces, place, tile, As<T>(inputs[0]), epilogue);
                    }
                  });
                });
            ZeroPadding(view, sizeof(T), output);
          },
          workspace_bytes);
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnLrn() { return std::make_unique<OwnLrn>(); }

}  // namespace fettle
