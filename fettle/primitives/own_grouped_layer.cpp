#include "fettle/primitives/own_grouped_layer.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include "fettle/primitives/own_kernel.h"

namespace fettle {
namespace {

constexpr int64_t kCacheLine = 64;

// Scratch that fits in a first-level cache, as long as strips can be cut.
constexpr int64_t kRingBytes = 32 << 10;

// Outputs of a strip that kernels exist for (own_grouped_sums.h).
constexpr std::array<int64_t, 4> kStrips = {7, 8, 14, 16};
constexpr std::array<int64_t, 3> kNarrowStrips = {4, 8, 12};  // of 16 registers

// That which computes the fewest outputs, counting one for what a strip costs besides.
int64_t BestStrip(std::span<const int64_t> strips, int64_t most, int64_t outputs) {
  int64_t best = 0, best_cost = 0;
  for (const int64_t strip : strips) {
    const int64_t cost = (outputs + strip - 1) / strip * (strip + 1);
    if (strip > most || (best != 0 && cost > best_cost)) continue;
    best = strip;
    best_cost = cost;
  }
  return best;
}

class LayerMaker {
 public:
  LayerMaker(const LayerSpec& spec, Layout layout, GroupedWords words)
      : is_channels_last_(layout == Layout::kChannelsLast), is_wide_(words.is_wide) {
    layer_.shape = ConvShapeOf(spec);
    layer_.input = ViewOf(spec.inputs[0].shape, layout);
    layer_.output = ViewOf(spec.output.shape, layout);
    layer_.lanes = is_wide_ ? 16 : 8;
    layer_.step = words.step;
    layer_.is_spread = IsSpread();
    layer_.vector_stride = layer_.lanes * (is_channels_last_ ? 1 : layer_.output.space);
  }

  bool CanBeLate() && {
    if (!layer_.is_spread || inputs() > layer_.lanes * layer_.step) return false;
    AddSpreadUnits();
    return AreOneVector();
  }

  GroupedLayer Make(int64_t threads, bool is_late, std::span<const Tensor* const> weights) && {
    layer_.is_late = is_late;
    if (layer_.is_spread) {
      AddSpreadUnits();
    } else {
      AddBroadcastUnits();
    }
    assert(!is_late || AreOneVector());
    MakeStrips(threads);
    MakeRows();
    Pack(weights);
    return std::move(layer_);
  }

 private:
  int64_t inputs() const { return layer_.shape.group_inputs(); }
  int64_t outputs() const { return layer_.shape.group_outputs(); }

  // A vector's outputs are of several groups, unless one group has enough of them: then its inputs
  // need not be spread over the lanes. Spread, a group's last vector is as full as the others,
  // which is worth it where each spread input is used for many taps.
  bool IsSpread() const {
    const int64_t lanes = layer_.lanes, full = RoundedUp(outputs(), lanes);
    if (outputs() < lanes) return true;
    if (full == outputs()) return false;
    return !is_channels_last_ || (layer_.shape.taps() > 4 && outputs() * 8 < full * 7);
  }

  // The vector of input words that holds this channel, of those from `first` on.
  LaneSource SourceOf(int64_t channel, int64_t first, uint32_t* word) const {
    const int64_t width = layer_.lanes * layer_.step, all = layer_.input.channels;
    if (!is_channels_last_) {
      const int64_t block = layer_.input.lanes;
      *word = static_cast<uint32_t>(channel % block / layer_.step);
      return {channel / block * block * layer_.input.space, block, 0};
    }
    // The last begins earlier rather than end behind the pixel.
    const int64_t start =
        std::min(first + (channel - first) / width * width, std::max<int64_t>(all - width, 0));
    *word = static_cast<uint32_t>((channel - start) / layer_.step);
    return {start, std::min(width, all), 0};
  }

  // The slab of a vector's inner index: its lanes gathered from as many sources as they lie in.
  InputSlab SpreadSlab(int64_t first_output, int64_t lanes, int64_t inner) {
    InputSlab slab;
    const int64_t first = first_output / outputs() * inputs();
    for (int64_t lane = 0; lane < lanes; ++lane) {
      const int64_t channel = (first_output + lane) / outputs() * inputs() + inner * layer_.step;
      uint32_t word = 0;
      LaneSource source = SourceOf(channel, first, &word);
      if (slab.sources.empty() || slab.sources.back().offset != source.offset) {
        source.indices = static_cast<int64_t>(layer_.indices.size());
        for (int64_t i = 0; i < layer_.lanes; ++i) {
          layer_.indices.push_back(static_cast<uint32_t>(i));
        }
        slab.sources.push_back(source);
      }
      layer_.indices[static_cast<size_t>(slab.sources.back().indices + lane)] =
          static_cast<uint32_t>(layer_.lanes) + word;
    }
    return slab;
  }

  static bool IsOneVector(const OutputUnit& unit) {
    const int64_t offset = unit.slabs[0].sources[0].offset;
    return std::all_of(unit.slabs.begin(), unit.slabs.end(), [&](const InputSlab& slab) {
      return slab.sources.size() == 1 && slab.sources[0].offset == offset;
    });
  }

  bool AreOneVector() const {
    return std::ranges::all_of(layer_.units, [](const auto& unit) { return unit.is_one_vector; });
  }

  void AddSpreadUnits() {
    const int64_t lanes = layer_.lanes, all = layer_.shape.out_channels;
    for (int64_t output = 0; output < all; output += lanes) {
      OutputUnit unit;
      unit.offset = output / lanes * layer_.vector_stride;
      unit.lanes = std::min(lanes, all - output);
      for (int64_t inner = 0; inner < inputs() / layer_.step; ++inner) {
        unit.slabs.push_back(SpreadSlab(output, unit.lanes, inner));
      }
      unit.is_one_vector = IsOneVector(unit);
      if (!is_channels_last_) unit.lanes = lanes;  // with padding
      layer_.units.push_back(std::move(unit));
    }
  }

  // A group's inputs in pieces that lie together, each at most a vector of words.
  std::vector<InputSlab> BroadcastSlabs(int64_t group) const {
    std::vector<InputSlab> slabs;
    const int64_t end = (group + 1) * inputs();
    for (int64_t channel = group * inputs(); channel < end;) {
      const int64_t block = layer_.input.lanes, width = layer_.lanes * layer_.step;
      const int64_t room = std::min(width, block - channel % block);
      const int64_t used = std::min(room, end - channel);
      const int64_t offset = channel / block * block * layer_.input.space + channel % block;
      // More than is used is read where it is there to be read, a whole vector being simpler.
      slabs.push_back({{{offset, room, 0}}, used / layer_.step});
      channel += used;
    }
    return slabs;
  }

  void AddBroadcastUnits() {
    const int64_t lanes = layer_.lanes, most = is_wide_ ? 2 : 1;
    for (int64_t group = 0; group < layer_.shape.groups; ++group) {
      const int64_t begin = group * outputs(), end = begin + outputs();
      for (int64_t output = begin; output < end;) {
        OutputUnit unit;
        unit.vectors = std::min(most, (end - output + lanes - 1) / lanes);
        unit.offset = is_channels_last_ ? output : output / lanes * layer_.vector_stride;
        unit.lanes = std::min(lanes, end - output - (unit.vectors - 1) * lanes);
        unit.slabs = BroadcastSlabs(group);
        output += unit.vectors * lanes;
        layer_.most_vectors = std::max(layer_.most_vectors, unit.vectors);
        layer_.units.push_back(std::move(unit));
      }
    }
  }

  // About what MakeRows comes to.
  int64_t RingBytes(int64_t outputs) const {
    const WindowAxis &x = layer_.shape.plane.x, &y = layer_.shape.plane.y;
    const int64_t pixels = x.stride * (outputs + (x.kernel - 1) * x.dilation / x.stride);
    const int64_t rows = (y.kernel - 1) * y.dilation + 1;
    return rows * layer_.slabs_kept(layer_.units[0]) * pixels * layer_.lanes * 4;
  }

  void MakeStrips(int64_t threads) {
    const WindowPlane& plane = layer_.shape.plane;
    const std::span<const int64_t> strips =
        is_wide_ ? std::span<const int64_t>(kStrips) : std::span<const int64_t>(kNarrowStrips);
    int64_t most = layer_.most_vectors == 2 ? 14 : strips.back();
    while (most > strips.front() && RingBytes(most) > kRingBytes) --most;
    layer_.strip = BestStrip(strips, most, plane.x.output);
    const int64_t in_row = (plane.x.output + layer_.strip - 1) / layer_.strip;
    layer_.run = in_row;
    while (layer_.run > 1 && RingBytes(layer_.run * layer_.strip) > kRingBytes) --layer_.run;
    layer_.runs = (in_row + layer_.run - 1) / layer_.run;
    layer_.run = (in_row + layer_.runs - 1) / layer_.runs;
    // Enough tasks for the threads to end together.
    const int64_t tasks = layer_.tasks(), wanted = threads == 1 ? 1 : 8 * threads;
    layer_.bands = std::clamp<int64_t>((wanted + tasks - 1) / tasks, 1, plane.y.output);
    layer_.band = (plane.y.output + layer_.bands - 1) / layer_.bands;
    layer_.bands = (plane.y.output + layer_.band - 1) / layer_.band;
  }

  void MakeRows() {
    const WindowAxis &x = layer_.shape.plane.x, &y = layer_.shape.plane.y;
    layer_.phase_pixels = layer_.run * layer_.strip + (x.kernel - 1) * x.dilation / x.stride;
    layer_.slab_words = x.stride * layer_.phase_pixels * layer_.lanes;
    layer_.ring_rows = (y.kernel - 1) * y.dilation + 1;
    layer_.is_phase_used.resize(static_cast<size_t>(x.stride), false);
    for (int64_t tap = 0; tap < x.kernel; ++tap) {
      const int64_t at = tap * x.dilation;
      layer_.is_phase_used[static_cast<size_t>(at % x.stride)] = true;
      layer_.tap_offsets.push_back((at % x.stride * layer_.phase_pixels + at / x.stride) *
                                   layer_.lanes);
    }
    for (const OutputUnit& unit : layer_.units) {
      layer_.row_words = std::max(layer_.row_words, layer_.slabs_kept(unit) * layer_.slab_words);
    }
  }

  // The channel of a unit's lane, or none.
  int64_t ChannelOf(const OutputUnit& unit, int64_t vector, int64_t lane) const {
    const int64_t first = is_channels_last_ ? unit.offset : unit.offset / layer_.output.space;
    const int64_t channel = first + vector * layer_.lanes + lane;
    const bool is_lane = vector + 1 < unit.vectors || lane < unit.lanes;
    return is_lane && channel < layer_.shape.out_channels ? channel : -1;
  }

  void Pack(std::span<const Tensor* const> weights) {
    std::vector<float> bias(static_cast<size_t>(layer_.shape.out_channels), 0);
    if (weights.size() > 1) bias = WidenedValues(*weights[1]);
    int64_t words = 0;
    for (OutputUnit& unit : layer_.units) {
      unit.weights = words;
      unit.bias = static_cast<int64_t>(layer_.bias.size());
      words += inputs() / layer_.step * layer_.shape.taps() * unit.vectors * layer_.lanes;
      for (int64_t i = 0; i < unit.vectors * layer_.lanes; ++i) {
        const int64_t channel = ChannelOf(unit, i / layer_.lanes, i % layer_.lanes);
        layer_.bias.push_back(channel < 0 ? 0 : bias[static_cast<size_t>(channel)]);
      }
    }
    layer_.weights.resize(static_cast<size_t>(words * 4 + kCacheLine), std::byte{0});
    const std::vector<float> values = WidenedValues(*weights[0]);
    auto* to = const_cast<float*>(layer_.AlignedWeights());
    for (const OutputUnit& unit : layer_.units) PackUnit(unit, values, to + unit.weights);
  }

  // An order of loops that serves both kinds: where inputs are spread a slab is one word.
  void PackUnit(const OutputUnit& unit, const std::vector<float>& values, float* to) const {
    const WindowPlane& plane = layer_.shape.plane;
    for (int64_t ky = 0; ky < plane.y.kernel; ++ky) {
      int64_t inner = 0;
      for (const InputSlab& slab : unit.slabs) {
        for (int64_t kx = 0; kx < plane.x.kernel; ++kx) {
          for (int64_t word = 0; word < slab.words; ++word) {
            for (int64_t vector = 0; vector < unit.vectors; ++vector, to += layer_.lanes) {
              PackVector(unit, vector, inner + word, ky * plane.x.kernel + kx, values, to);
            }
          }
        }
        inner += slab.words;
      }
    }
  }

  void PackVector(const OutputUnit& unit, int64_t vector, int64_t inner, int64_t tap,
                  const std::vector<float>& values, float* to) const {
    for (int64_t lane = 0; lane < layer_.lanes; ++lane) {
      const int64_t channel = ChannelOf(unit, vector, lane);
      if (channel < 0) continue;
      for (int64_t i = 0; i < layer_.step; ++i) {
        const int64_t from =
            (channel * inputs() + inner * layer_.step + i) * layer_.shape.taps() + tap;
        const float value = values[static_cast<size_t>(from)];
        if (layer_.step == 1) {
          to[lane] = value;
        } else {
          reinterpret_cast<BF16*>(to + lane)[i] = Narrow<BF16>(value);
        }
      }
    }
  }

  bool is_channels_last_, is_wide_;
  GroupedLayer layer_;
};

}  // namespace

const float* GroupedLayer::AlignedWeights() const {
  const auto address = reinterpret_cast<uintptr_t>(weights.data());
  const uintptr_t past = RoundedUp(static_cast<int64_t>(address), kCacheLine) - address;
  return reinterpret_cast<const float*>(weights.data() + past);
}

GroupedLayer GroupedLayerOf(const LayerSpec& spec, Layout layout, const Target& target,
                            GroupedWords words, bool is_late,
                            std::span<const Tensor* const> weights) {
  assert(ConvShapeOf(spec).group_inputs() % words.step == 0);
  return LayerMaker(spec, layout, words).Make(target.threads, is_late, weights);
}

bool CanPermuteLate(const LayerSpec& spec, Layout layout, GroupedWords words) {
  return LayerMaker(spec, layout, words).CanBeLate();
}

}  // namespace fettle
