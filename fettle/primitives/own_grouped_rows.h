#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>

#include "fettle/primitives/own_epilogue.h"
#include "fettle/primitives/own_grouped_layer.h"

// The rows of scratch of own_grouped_conv.cpp: inputs in the order in which they are summed.

namespace fettle {

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

// The lanes that the indices name, of one vector or of two behind one another.
template <int kLanes>
inline void PermuteLanes(const Vector<kLanes>& from,
                         const typename VectorOf<kLanes>::Words& indices, Vector<kLanes>* to) {
#if defined(__clang__)
  Vector<kLanes> lanes;
  for (int i = 0; i < kLanes; ++i) lanes[i] = from[indices[i] % kLanes];
  *to = lanes;
#else
  *to = __builtin_shuffle(from, indices);
#endif
}

template <int kLanes>
inline void PermuteLanes(const Vector<kLanes>& first, const Vector<kLanes>& second,
                         const typename VectorOf<kLanes>::Words& indices, Vector<kLanes>* to) {
#if defined(__clang__)
  Vector<kLanes> lanes;
  for (int i = 0; i < kLanes; ++i) {
    lanes[i] = indices[i] < kLanes ? first[indices[i]] : second[indices[i] - kLanes];
  }
  *to = lanes;
#else
  *to = __builtin_shuffle(first, second, indices);
#endif
}

// A slab's vectors of `count` pixels, which lie `stride` elements apart; copied as they are unless
// they are spread here.
template <int kLanes, typename Products, typename T>
inline void FillPixels(const GroupedLayer& layer, const InputSlab& slab, const T* from,
                       int64_t stride, int64_t count, float* to) {
  using Words = typename VectorOf<kLanes>::Words;
  const LaneSource* sources = slab.sources.data();
  const int64_t elements = sources[0].count;
  if (!layer.is_spread || layer.is_late) {
    from += sources[0].offset;
    const int64_t line = layer.shape.plane.x.input * layer.input.lanes;
    for (int64_t i = 0; i < count; ++i) {
      __builtin_prefetch(from + i * stride + line);
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
    PermuteLanes<kLanes>(pixel, first, &spread);
    for (size_t s = 1; s < slab.sources.size(); ++s) {
      Words next;
      std::memcpy(&next, indices + sources[s].indices, sizeof(next));
      LoadWords<kLanes, Products>(from + sources[s].offset + i * stride, sources[s].count, &pixel);
      PermuteLanes<kLanes>(spread, pixel, next, &spread);
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
      Vector<kLanes> spread;
      PermuteLanes<kLanes>(pixel, lanes[slab], &spread);
      StoreVector<kLanes>(spread, to + slab * slab_words);
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

// A row of scratch: the inputs that a run of strips needs of a row of the image, of which `row`
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
    const bool are_together = unit.is_one_vector && !layer.is_late;
    if (are_together) {
      FillOneVector<kLanes, Products>(layer, unit, from, pixel_stride, end - before,
                                      slab_to + before * kLanes);
    }
    for (int64_t slab = 0; slab < layer.slabs_kept(unit); ++slab) {
      std::fill_n(slab_to, before * kLanes, 0.0f);
      if (!are_together) {
        FillPixels<kLanes, Products>(layer, unit.slabs[static_cast<size_t>(slab)], from,
                                     pixel_stride, end - before, slab_to + before * kLanes);
      }
      std::fill_n(slab_to + end * kLanes, (pixels - end) * kLanes, 0.0f);
      slab_to += layer.slab_words;
    }
  }
}

}  // namespace fettle
