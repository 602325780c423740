#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "fettle/primitives/own_dot.h"
#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_grouped_layer.h"
#include "fettle/primitives/own_grouped_rows.h"

// The sums of own_grouped_conv.cpp, over rows of scratch.

namespace fettle {

enum class GroupedWay {
  kSpread,       // every lane has an input of its own
  kSpreadThree,  // and three taps along a row read neighbours
  kLate,         // as kSpread, permuted here
  kLateThree,    // as kSpreadThree, permuted here
  kBroadcast,    // the lanes share an input
  kBroadcastTwo  // two vectors of outputs do
};

// The lanes of a slab's inputs where they are permuted late.
template <int kLanes>
inline void LoadIndices(const GroupedLayer& layer, const InputSlab& slab,
                        typename VectorOf<kLanes>::Words* to) {
  std::memcpy(to, layer.indices.data() + slab.sources[0].indices, sizeof(*to));
}

// sums += a row of scratch times the weights of one ky, every tap apart.
template <int kLanes, int kCount, bool kIsLate, typename Products>
inline void AddSpread(const GroupedLayer& layer, const OutputUnit& unit, const float* x,
                      const float* weights, Vector<kLanes>* sums) {
  const int64_t taps = layer.shape.plane.x.kernel;
  for (const InputSlab& slab : unit.slabs) {
    typename VectorOf<kLanes>::Words lanes{};
    if constexpr (kIsLate) LoadIndices<kLanes>(layer, slab, &lanes);
    for (int64_t tap = 0; tap < taps; ++tap, weights += kLanes) {
      const float* from = x + layer.tap_offsets[static_cast<size_t>(tap)];
      Vector<kLanes> filter;
      LoadVector<kLanes>(weights, &filter);
#pragma GCC unroll 16
      for (int i = 0; i < kCount; ++i) {
        Vector<kLanes> input;
        LoadVector<kLanes>(from + int64_t{i} * kLanes, &input);
        if constexpr (kIsLate) PermuteLanes<kLanes>(input, lanes, &input);
        Products::template AddProduct<kLanes>(input, filter, &sums[i]);
      }
    }
    if constexpr (!kIsLate) x += layer.slab_words;
  }
}

// The same for three neighbouring taps: each input is loaded once.
template <int kLanes, int kCount, bool kIsLate, typename Products>
inline void AddSpreadThree(const GroupedLayer& layer, const OutputUnit& unit, const float* x,
                           const float* weights, Vector<kLanes>* sums) {
  for (const InputSlab& slab : unit.slabs) {
    typename VectorOf<kLanes>::Words lanes{};
    if constexpr (kIsLate) LoadIndices<kLanes>(layer, slab, &lanes);
    Vector<kLanes> filter[3];
#pragma GCC unroll 3
    for (int tap = 0; tap < 3; ++tap)
      LoadVector<kLanes>(weights + int64_t{tap} * kLanes, &filter[tap]);
#pragma GCC unroll 18
    for (int i = 0; i < kCount + 2; ++i) {
      Vector<kLanes> input;
      LoadVector<kLanes>(x + int64_t{i} * kLanes, &input);
      if constexpr (kIsLate) PermuteLanes<kLanes>(input, lanes, &input);
#if defined(__x86_64__)
      // Else it is loaded for each of its three products.
      if constexpr (kLanes == 16) asm("" : "+v"(input));
#endif
#pragma GCC unroll 3
      for (int tap = 0; tap < 3; ++tap) {
        if (i < tap || i - tap >= kCount) continue;
        Products::template AddProduct<kLanes>(input, filter[tap], &sums[i - tap]);
      }
    }
    weights += int64_t{3} * kLanes;
    if constexpr (!kIsLate) x += layer.slab_words;
  }
}

// The same where the words of an input vector are one for all lanes.
template <int kLanes, int kCount, int kVectors, typename Products>
inline void AddBroadcast(const GroupedLayer& layer, const OutputUnit& unit, const float* x,
                         const float* weights, Vector<kLanes>* sums) {
  const int64_t taps = layer.shape.plane.x.kernel;
  for (const InputSlab& slab : unit.slabs) {
    for (int64_t tap = 0; tap < taps; ++tap) {
      const float* from = x + layer.tap_offsets[static_cast<size_t>(tap)];
      for (int64_t word = 0; word < slab.words; ++word, weights += int64_t{kVectors} * kLanes) {
        Vector<kLanes> filter[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v)
          LoadVector<kLanes>(weights + int64_t{v} * kLanes, &filter[v]);
#pragma GCC unroll 16
        for (int i = 0; i < kCount; ++i) {
          const float* input = from + int64_t{i} * kLanes + word;
#pragma GCC unroll 2
          for (int v = 0; v < kVectors; ++v) {
            Products::template AddBroadcast<kLanes>(input, filter[v], &sums[v * kCount + i]);
          }
        }
      }
    }
    x += layer.slab_words;
  }
}

// A strip of a unit's outputs in row oy, from output ox on; row(tap) is where the inputs of the
// strip's first output lie in scratch for a row of taps. `image` is where the image begins in the
// output.
template <int kLanes, int kCount, GroupedWay kWay, typename Products, typename T, typename Row>
inline void SumStrip(const GroupedLayer& layer, const OutputUnit& unit, int64_t image, int64_t oy,
                     int64_t ox, TapRange taps, const Row& row, const VectorEpilogue<T>& epilogue) {
  constexpr int kVectors = kWay == GroupedWay::kBroadcastTwo ? 2 : 1;
  const WindowAxis& axis = layer.shape.plane.x;
  const float* weights = layer.AlignedWeights() + unit.weights;
  const int64_t weight_row =
      layer.shape.group_inputs() / Products::kStep * axis.kernel * kVectors * kLanes;
  Vector<kLanes> sums[kVectors * kCount];
#pragma GCC unroll 32
  for (int i = 0; i < kVectors * kCount; ++i) {
    LoadVector<kLanes>(layer.bias.data() + unit.bias + int64_t{i / kCount} * kLanes, &sums[i]);
  }
  for (int64_t tap = taps.first; tap < taps.last; ++tap) {
    const float* inputs = row(tap);
    const float* filters = weights + tap * weight_row;
    if constexpr (kWay == GroupedWay::kSpread || kWay == GroupedWay::kLate) {
      constexpr bool kIsLate = kWay == GroupedWay::kLate;
      AddSpread<kLanes, kCount, kIsLate, Products>(layer, unit, inputs, filters, sums);
    } else if constexpr (kWay == GroupedWay::kSpreadThree || kWay == GroupedWay::kLateThree) {
      constexpr bool kIsLate = kWay == GroupedWay::kLateThree;
      AddSpreadThree<kLanes, kCount, kIsLate, Products>(layer, unit, inputs, filters, sums);
    } else {
      AddBroadcast<kLanes, kCount, kVectors, Products>(layer, unit, inputs, filters, sums);
    }
  }
  OutputStrip strip;
  strip.offset = image + unit.offset + (oy * axis.output + ox) * layer.output.lanes;
  strip.stride = layer.output.lanes;
  strip.count = std::min<int64_t>(kCount, axis.output - ox);
#pragma GCC unroll 2
  for (int v = 0; v < kVectors; ++v) {
    strip.lanes = v + 1 < kVectors ? kLanes : unit.lanes;
    FinishVectors<kLanes, kCount, Products>(epilogue, strip, sums + int64_t{v} * kCount);
    strip.offset += layer.vector_stride;
  }
}

// A run of strips of a unit's outputs, from row to row of a band: rows of scratch are kept for as
// long as rows of outputs need them. fill(y, row) puts the image's row y into one of them.
template <int kLanes, int kCount, GroupedWay kWay, typename Products, typename T, typename Fill>
inline void SumRun(const GroupedLayer& layer, const OutputUnit& unit, int64_t image, int64_t ox,
                   int64_t first_row, int64_t last_row, float* ring, const Fill& fill,
                   const VectorEpilogue<T>& epilogue) {
  const WindowAxis &ya = layer.shape.plane.y, &xa = layer.shape.plane.x;
  const int64_t end = std::min(xa.output, ox + layer.run * kCount);
  int64_t filled = 0;  // rows of the image that have been in scratch
  for (int64_t oy = first_row; oy < last_row; ++oy) {
    const TapRange taps = ya.TapsInside(oy);
    const int64_t y = oy * ya.stride;
    filled = std::max(filled, y + ya.Offset(0));
    for (; taps.first < taps.last && filled <= y + ya.Offset(taps.last - 1); ++filled) {
      fill(filled, ring + filled % layer.ring_rows * layer.row_words);
    }
    const float* scratch = ring;
    for (int64_t at = ox; at < end; at += kCount, scratch += int64_t{kCount} * kLanes) {
      const auto row = [&](int64_t tap) {
        return scratch + (y + ya.Offset(tap)) % layer.ring_rows * layer.row_words;
      };
      SumStrip<kLanes, kCount, kWay, Products>(layer, unit, image, oy, at, taps, row, epilogue);
    }
  }
}

}  // namespace fettle
