#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "fettle/primitives/own_dot.h"
#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_grouped_layer.h"

// What own_grouped_conv.cpp runs: rows of inputs put in order in scratch, and sums over them.

namespace fettle {

enum class GroupedWay {
  kSpread,       // every lane has an input of its own
  kSpreadThree,  // and three taps along a row read neighbours
  kBroadcast,    // the lanes share an input
  kBroadcastTwo  // two vectors of outputs do
};

// A vector of words, fewer where `count` elements do not fill it.
template <int kLanes, typename Products, typename T>
inline void LoadWords(const T* from, int64_t count, Vector<kLanes>* to) {
  if constexpr (Products::kStep == 1) {
    LoadLanes<kLanes, Products>(from, count, to);
  } else {
    constexpr int kElements = kLanes * Products::kStep;
    T buffer[kElements] = {};
    CopyLanes<kElements>(from, count, buffer);
    std::memcpy(to, buffer, sizeof(*to));
  }
}

// A slab's vectors of `count` pixels, which lie `stride` elements apart.
template <int kLanes, typename Products, typename T>
inline void FillPixels(const GroupedLayer& layer, const InputSlab& slab, const T* from,
                       int64_t stride, int64_t count, float* to) {
  using Words = typename VectorOf<kLanes>::Words;
  const LaneSource* sources = slab.sources.data();
  const int64_t elements = sources[0].count;
  if (!layer.is_spread) {
    from += sources[0].offset;
    for (int64_t i = 0; i < count; ++i) {
      Vector<kLanes> pixel;
      LoadWords<kLanes, Products>(from + i * stride, elements, &pixel);
      StoreVector<kLanes>(pixel, to + i * kLanes);
    }
    return;
  }
  const uint32_t* indices = layer.indices.data();
  Words first;
  std::memcpy(&first, indices + sources[0].indices, sizeof(first));
  for (int64_t i = 0; i < count; ++i) {
    Vector<kLanes> pixel, spread;
    LoadWords<kLanes, Products>(from + sources[0].offset + i * stride, elements, &pixel);
    spread = __builtin_shuffle(pixel, first);
    for (size_t s = 1; s < slab.sources.size(); ++s) {
      Words next;
      std::memcpy(&next, indices + sources[s].indices, sizeof(next));
      LoadWords<kLanes, Products>(from + sources[s].offset + i * stride, sources[s].count, &pixel);
      spread = __builtin_shuffle(spread, pixel, next);
    }
    StoreVector<kLanes>(spread, to + i * kLanes);
  }
}

// kSlabs slabs of `count` pixels whose channels lie in one vector; those of the row below, `line`
// elements further, are fetched meanwhile.
template <int kLanes, int kSlabs, typename Products, typename T>
inline void FillTogether(const LaneSource& source, const uint32_t* indices, const T* from,
                         int64_t stride, int64_t line, int64_t count, int64_t slab_words,
                         float* to) {
  typename VectorOf<kLanes>::Words lanes[kSlabs];
#pragma GCC unroll 8
  for (int slab = 0; slab < kSlabs; ++slab) {
    std::memcpy(&lanes[slab], indices + int64_t{slab} * kLanes, sizeof(lanes[slab]));
  }
  const int64_t elements = source.count;
  from += source.offset;
  for (int64_t i = 0; i < count; ++i, from += stride, to += kLanes) {
    __builtin_prefetch(from + line);
    Vector<kLanes> pixel;
    LoadWords<kLanes, Products>(from, elements, &pixel);
#pragma GCC unroll 8
    for (int slab = 0; slab < kSlabs; ++slab) {
      StoreVector<kLanes>(__builtin_shuffle(pixel, lanes[slab]), to + slab * slab_words);
    }
  }
}

// All slabs of a unit of which that is so.
template <int kLanes, typename Products, typename T>
inline void FillOneVector(const GroupedLayer& layer, const OutputUnit& unit, const T* from,
                          int64_t stride, int64_t count, float* to) {
  const LaneSource& source = unit.slabs[0].sources[0];
  const uint32_t* indices = layer.indices.data() + source.indices;
  const int64_t line = layer.shape.plane.x.input * layer.input.lanes, words = layer.slab_words;
  auto slabs = static_cast<int64_t>(unit.slabs.size());
  const auto fill = [&]<int kSlabs>() {
    for (; slabs >= kSlabs; slabs -= kSlabs) {
      FillTogether<kLanes, kSlabs, Products>(source, indices, from, stride, line, count, words, to);
      indices += int64_t{kSlabs} * kLanes;
      to += kSlabs * words;
    }
  };
  fill.template operator()<8>();
  fill.template operator()<4>();
  fill.template operator()<2>();
  fill.template operator()<1>();
}

// A row of scratch: the inputs that a strip of outputs needs of a row of the image, of which `row`
// is pixel 0 and `x` the first pixel needed. Zeros beyond the image.
template <int kLanes, typename Products, typename T>
inline void FillRow(const GroupedLayer& layer, const OutputUnit& unit, const T* row, int64_t x,
                    float* to) {
  const WindowAxis& axis = layer.shape.plane.x;
  const int64_t stride = axis.stride, pixels = layer.phase_pixels;
  for (int64_t phase = 0; phase < stride; ++phase) {
    if (!layer.is_phase_used[static_cast<size_t>(phase)]) continue;
    const int64_t start = x + phase;
    const int64_t before = start >= 0 ? 0 : std::min((-start + stride - 1) / stride, pixels);
    const int64_t room = axis.input - 1 - start;
    const int64_t end = room < 0 ? before : std::clamp<int64_t>(room / stride + 1, before, pixels);
    const T* from = row + (start + before * stride) * layer.input.lanes;
    const int64_t pixel_stride = stride * layer.input.lanes;
    float* slab_to = to + phase * pixels * kLanes;
    if (unit.is_one_vector) {
      FillOneVector<kLanes, Products>(layer, unit, from, pixel_stride, end - before,
                                      slab_to + before * kLanes);
    }
    for (const InputSlab& slab : unit.slabs) {
      std::fill_n(slab_to, before * kLanes, 0.0f);
      if (!unit.is_one_vector) {
        FillPixels<kLanes, Products>(layer, slab, from, pixel_stride, end - before,
                                     slab_to + before * kLanes);
      }
      std::fill_n(slab_to + end * kLanes, (pixels - end) * kLanes, 0.0f);
      slab_to += layer.slab_words;
    }
  }
}

// sums += a row of scratch times the weights of one ky, every tap apart.
template <int kLanes, int kCount, typename Products>
inline void AddSpread(const GroupedLayer& layer, int64_t slabs, const float* x,
                      const float* weights, Vector<kLanes>* sums) {
  const int64_t taps = layer.shape.plane.x.kernel;
  for (int64_t slab = 0; slab < slabs; ++slab, x += layer.slab_words) {
    for (int64_t tap = 0; tap < taps; ++tap, weights += kLanes) {
      const float* from = x + layer.tap_offsets[static_cast<size_t>(tap)];
      Vector<kLanes> filter;
      LoadVector<kLanes>(weights, &filter);
#pragma GCC unroll 16
      for (int i = 0; i < kCount; ++i) {
        Vector<kLanes> input;
        LoadVector<kLanes>(from + i * kLanes, &input);
        Products::template AddProduct<kLanes>(input, filter, &sums[i]);
      }
    }
  }
}

// The same for three neighbouring taps: each input is loaded once.
template <int kLanes, int kCount, typename Products>
inline void AddSpreadThree(const GroupedLayer& layer, int64_t slabs, const float* x,
                           const float* weights, Vector<kLanes>* sums) {
  for (int64_t slab = 0; slab < slabs; ++slab, x += layer.slab_words, weights += 3 * kLanes) {
    Vector<kLanes> filter[3];
#pragma GCC unroll 3
    for (int tap = 0; tap < 3; ++tap) LoadVector<kLanes>(weights + tap * kLanes, &filter[tap]);
#pragma GCC unroll 18
    for (int i = 0; i < kCount + 2; ++i) {
      Vector<kLanes> input;
      LoadVector<kLanes>(x + i * kLanes, &input);
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
      for (int64_t word = 0; word < slab.words; ++word, weights += kVectors * kLanes) {
        Vector<kLanes> filter[kVectors];
#pragma GCC unroll 2
        for (int v = 0; v < kVectors; ++v) LoadVector<kLanes>(weights + v * kLanes, &filter[v]);
#pragma GCC unroll 16
        for (int i = 0; i < kCount; ++i) {
          const float* input = from + i * kLanes + word;
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

// A strip of a unit's outputs, from row to row of a band: rows of scratch are kept for as long as
// rows of outputs need them. fill(y, row) puts the image's row y into one of them; `image` is where
// the image begins in the output.
template <int kLanes, int kCount, GroupedWay kWay, typename Products, typename T, typename Fill>
inline void SumStrip(const GroupedLayer& layer, const OutputUnit& unit, int64_t image, int64_t ox,
                     int64_t first_row, int64_t last_row, float* ring, const Fill& fill,
                     const VectorEpilogue<T>& epilogue) {
  constexpr int kVectors = kWay == GroupedWay::kBroadcastTwo ? 2 : 1;
  const WindowAxis &ya = layer.shape.plane.y, &xa = layer.shape.plane.x;
  const auto slabs = static_cast<int64_t>(unit.slabs.size());
  const float* weights = layer.AlignedWeights() + unit.weights;
  const int64_t weight_row =
      layer.shape.group_inputs() / Products::kStep * xa.kernel * kVectors * kLanes;
  int64_t filled = 0;  // rows of the image that have been in scratch
  for (int64_t oy = first_row; oy < last_row; ++oy) {
    Vector<kLanes> sums[kVectors * kCount];
#pragma GCC unroll 32
    for (int i = 0; i < kVectors * kCount; ++i) {
      LoadVector<kLanes>(layer.bias.data() + unit.bias + i / kCount * kLanes, &sums[i]);
    }
    const TapRange taps = ya.TapsInside(oy);
    const int64_t y = oy * ya.stride;
    filled = std::max(filled, y + ya.Offset(0));
    for (; taps.first < taps.last && filled <= y + ya.Offset(taps.last - 1); ++filled) {
      fill(filled, ring + filled % layer.ring_rows * layer.row_words);
    }
    for (int64_t tap = taps.first; tap < taps.last; ++tap) {
      const float* row = ring + (y + ya.Offset(tap)) % layer.ring_rows * layer.row_words;
      const float* filters = weights + tap * weight_row;
      if constexpr (kWay == GroupedWay::kSpread) {
        AddSpread<kLanes, kCount, Products>(layer, slabs, row, filters, sums);
      } else if constexpr (kWay == GroupedWay::kSpreadThree) {
        AddSpreadThree<kLanes, kCount, Products>(layer, slabs, row, filters, sums);
      } else {
        AddBroadcast<kLanes, kCount, kVectors, Products>(layer, unit, row, filters, sums);
      }
    }
    OutputStrip strip;
    strip.offset = image + unit.offset + (oy * xa.output + ox) * layer.output.lanes;
    strip.stride = layer.output.lanes;
    strip.count = std::min<int64_t>(kCount, xa.output - ox);
#pragma GCC unroll 2
    for (int v = 0; v < kVectors; ++v) {
      strip.lanes = v + 1 < kVectors ? kLanes : unit.lanes;
      FinishVectors<kLanes, kCount, Products>(epilogue, strip, sums + v * kCount);
      strip.offset += layer.vector_stride;
    }
  }
}

}  // namespace fettle
