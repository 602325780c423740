#include <algorithm>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_isa.h"
#include "fettle/primitives/own_kernel.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// Work is cut into tiles of channels x places, which fit the first-level cache twice over.
constexpr int64_t kTileChannels = 16;
constexpr int64_t kTilePlaces = 32;

// Where the elements of a view's channel c at place s of an image lie, the layout's two strides
// apart: consecutive places are `lanes` apart, consecutive channels 1 within a group.
int64_t OffsetOf(const ChannelView& view, int64_t n, int64_t channel, int64_t place) {
  const int64_t group = channel / view.lanes;
  return ((n * view.groups + group) * view.space + place) * view.lanes + channel % view.lanes;
}

// Reads channels [c, c + channels) at `places` places from `s` into tile[channel][place].
template <typename T>
void LoadTile(const ChannelView& view, const T* from, int64_t n, int64_t c, int64_t channels,
              int64_t s, int64_t places, float* tile) {
  for (int64_t i = 0; i < channels; ++i) {
    const T* at = from + OffsetOf(view, n, c + i, s);
    float* row = tile + i * kTilePlaces;
    if (view.lanes == 1) {
      WidenRow(at, places, row);
    } else {
      for (int64_t j = 0; j < places; ++j) row[j] = Widen(at[j * view.lanes]);
    }
  }
}

// Writes them; a row of lanes at a time, with zeros for the lanes that are no channels.
template <typename T>
void StoreTile(const ChannelView& view, const float* tile, int64_t n, int64_t c, int64_t channels,
               int64_t s, int64_t places, T* to) {
  if (view.lanes == 1) {
    for (int64_t i = 0; i < channels; ++i) {
      NarrowRow(tile + i * kTilePlaces, places, to + OffsetOf(view, n, c + i, s));
    }
    return;
  }
  for (int64_t i = 0; i < channels;) {
    const int64_t lane = (c + i) % view.lanes;
    const int64_t lanes = std::min(view.lanes - lane, channels - i);
    const bool is_last = c + i + lanes == view.channels;
    const int64_t padding = is_last ? view.lanes - lane - lanes : 0;
    for (int64_t j = 0; j < places; ++j) {
      T* at = to + OffsetOf(view, n, c + i, s + j);
      for (int64_t l = 0; l < lanes; ++l) at[l] = Narrow<T>(tile[(i + l) * kTilePlaces + j]);
      for (int64_t l = lanes; l < lanes + padding; ++l) at[l] = T();
    }
    i += lanes;
  }
}

template <typename From, typename To>
void Rearrange(const Target& target, const ChannelView& from, const ChannelView& to, const From* x,
               To* y) {
  const int64_t columns = (from.space + kTilePlaces - 1) / kTilePlaces;
  const int64_t work = from.channels * kTilePlaces;
  ParallelFor(target, from.batch * columns, work, [&](int64_t begin, int64_t end, int64_t) {
    WithIsa(target, [&] {
      alignas(64) float tile[kTileChannels * kTilePlaces];
      for (int64_t i = begin; i < end; ++i) {
        const int64_t n = i / columns, s = i % columns * kTilePlaces;
        const int64_t places = std::min(kTilePlaces, from.space - s);
        for (int64_t c = 0; c < from.channels; c += kTileChannels) {
          const int64_t channels = std::min(kTileChannels, from.channels - c);
          LoadTile(from, x, n, c, channels, s, places, tile);
          StoreTile(to, tile, n, c, channels, s, places, y);
        }
      }
    });
  });
}

template <typename From, typename To>
void Convert(const Target& target, int64_t count, const From* x, To* y) {
  ParallelFor(target, count, 1, [&](int64_t begin, int64_t end, int64_t) {
    WithIsa(target, [&] {
#pragma omp simd
      for (int64_t i = begin; i < end; ++i) y[i] = Narrow<To>(Widen(x[i]));
    });
  });
}

// Between any two layouts and f32 and bf16; from a layout to itself where the type changes.
class OwnReorder : public Primitive {
 public:
  std::string_view Name() const override { return "own.reorder"; }

  Support Supports(const LayerSpec& spec, const Target&) const override {
    if (!std::holds_alternative<Reorder>(spec.op)) return Support::No("not a reorder");
    if (Support support = RequireFloat(spec); !support) return support;
    return RequireNoEpilogue(spec);
  }

  std::vector<Implementation> Implementations(const LayerSpec& spec, const Target&) const override {
    std::vector<Implementation> all;
    for (Layout from : kAllLayouts) {
      for (Layout to : kAllLayouts) {
        if (!CanHave(spec.output.shape, from) || !CanHave(spec.output.shape, to)) continue;
        all.push_back({std::string(Name()), 1, {from}, to, std::nullopt});
      }
    }
    return all;
  }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const>) const override {
    const Layout from_layout = implementation.inputs[0], to_layout = implementation.output;
    return VisitFloat(spec.inputs[0].dtype, [&](auto from) {
      return VisitFloat(spec.output.dtype, [&](auto to) {
        using From = decltype(from);
        using To = decltype(to);
        return MakeKernel([=](KernelInputs inputs, std::byte* output, std::byte*) {
          const auto* x = As<From>(inputs[0]);
          auto* y = As<To>(output);
          const Shape& shape = spec.output.shape;
          if (from_layout == to_layout) {
            const int64_t bytes = PhysicalBytes(spec.output, to_layout);
            Convert(target, bytes / static_cast<int64_t>(sizeof(To)), x, y);
          } else {
            Rearrange(target, ViewOf(shape, from_layout), ViewOf(shape, to_layout), x, y);
          }
        });
      });
    });
  }
};

}  // namespace

std::unique_ptr<Primitive> MakeOwnReorder() { return std::make_unique<OwnReorder>(); }

}  // namespace fettle
