#pragma once

#include <algorithm>
#include <cstdint>

#include "fettle/primitives/own_depthwise_layer.h"

// The loops of own_depthwise_conv.cpp over strips and vectors.

namespace fettle {

// Of `count` pixels from `first` on, those that lie within the axis; within [0, count] also where
// all of them lie in the padding.
inline TapRange Inside(const WindowAxis& axis, int64_t first, int64_t count) {
  const int64_t begin = std::clamp<int64_t>(-first, 0, count);
  return {begin, std::clamp(axis.input - first, begin, count)};
}

// Two rows of a task from `oy` on, one where the image ends there, for windows that a block knows.
template <typename Block, int kStride, int kCount, typename Products, typename T>
inline void SumPair(const DepthwiseLayer& layer, const DepthwiseTask& task, int64_t oy, const T* x,
                    const VectorEpilogue<T>& epilogue) {
  constexpr int kLanes = Block::kLanes;
  const WindowAxis ya = layer.plane.y, xa = layer.plane.x;
  const int64_t lanes = layer.input.lanes, line = xa.input * lanes, taps = layer.taps();
  const int64_t plane = task.image * layer.input.groups + task.group;
  const T* image = x + plane * layer.input.space * lanes;
  const int64_t iy = oy * kStride - ya.pad_begin;
  const TapRange rows = Inside(ya, iy, Block::kRows);
  const bool are_two = oy + 1 < ya.output;
  for (int64_t next = 0; next < xa.output; next += kCount) {
    // The last strip begins earlier rather than be a short one, where the row is long enough.
    const int64_t ox = std::min(next, std::max<int64_t>(xa.output - kCount, 0));
    const int64_t ix = ox * kStride - xa.pad_begin;
    const TapRange columns = Inside(xa, ix, Block::kColumns);
    const T* pixel = image + iy * line + ix * lanes;
    OutputStrip strip;
    strip.stride = lanes;
    strip.count = std::min<int64_t>(kCount, xa.output - ox);
    strip.lanes = kLanes;
    const int64_t offset = ((plane * ya.output + oy) * xa.output + ox) * lanes;
    const int64_t index = task.group * layer.vectors + task.first;
    const float* filters = layer.filters.data() + index * taps * kLanes;
    const float* bias = layer.bias.data() + index * kLanes;
    for (int64_t vector = task.first; vector < task.last; ++vector) {
      const int64_t lane = std::min(vector * kLanes, lanes - kLanes);
      typename Block::Sums sums;
#pragma GCC unroll 16
      for (int i = 0; i < 2 * kCount; ++i) LoadVector<kLanes>(bias, &sums[i]);
      const T* from = pixel + lane;
      if (!Block::AddColumns(from, line, lanes, rows, columns, filters, sums)) {
        T copy[Block::kRows * Block::kColumns * kLanes];
        Block::CopyPixels(from, line, lanes, rows, columns, copy);
        Block::template AddPixels<0, 0>(copy, Block::kColumns * kLanes, kLanes, {0, Block::kRows},
                                        filters, sums);
      }
      strip.offset = offset + lane;
      FinishVectors<kLanes, kCount, Products>(epilogue, strip, sums);
      if (are_two) {
        strip.offset += xa.output * lanes;
        FinishVectors<kLanes, kCount, Products>(epilogue, strip, sums + kCount);
      }
      filters += taps * kLanes;
      bias += kLanes;
    }
  }
}

// kCount neighbouring outputs of a row from `ox` on, whose taps in `taps` lie inside, of any
// window.
template <int kLanes, int kCount, typename Products, typename T>
inline void SumOutputs(const DepthwiseLayer& layer, const T* image, int64_t oy, int64_t ox,
                       TapRange taps, const float* filters, Vector<kLanes>* sums) {
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t lanes = layer.input.lanes;
  const TapRange rows = ya.TapsInside(oy);
  for (int64_t ky = rows.first; ky < rows.last; ++ky) {
    const T* line = image + (oy * ya.stride + ya.Offset(ky)) * xa.input * lanes;
    for (int64_t kx = taps.first; kx < taps.last; ++kx) {
      const T* from = line + (ox * xa.stride + xa.Offset(kx)) * lanes;
      Vector<kLanes> filter;
      LoadVector<kLanes>(filters + (ky * xa.kernel + kx) * kLanes, &filter);
#pragma GCC unroll 4
      for (int i = 0; i < kCount; ++i) {
        Vector<kLanes> pixel;
        Products::template Load<kLanes>(from + i * xa.stride * lanes, &pixel);
        Products::template AddProduct<kLanes>(pixel, filter, &sums[i]);
      }
    }
  }
}

// A row of a task, for any window.
template <int kLanes, typename Products, typename T>
inline void SumAnyRow(const DepthwiseLayer& layer, const DepthwiseTask& task, int64_t oy,
                      int64_t vector, const T* x, const VectorEpilogue<T>& epilogue) {
  constexpr int kCount = 4;
  const WindowAxis& axis = layer.plane.x;
  const int64_t lanes = layer.input.lanes, lane = std::min(vector * kLanes, lanes - kLanes);
  const int64_t plane = task.image * layer.input.groups + task.group;
  const int64_t index = task.group * layer.vectors + vector;
  const T* image = x + plane * layer.input.space * lanes + lane;
  const float* filters = layer.filters.data() + index * layer.taps() * kLanes;
  // In between, every tap lies inside.
  const int64_t begin = axis.FirstOutput(0);
  const int64_t end = std::max(begin, axis.LastOutput(axis.kernel - 1));
  for (int64_t ox = 0; ox < axis.output;) {
    Vector<kLanes> sums[kCount];
    for (int i = 0; i < kCount; ++i) {
      LoadVector<kLanes>(layer.bias.data() + index * kLanes, &sums[i]);
    }
    OutputStrip strip;
    strip.offset = ((plane * layer.plane.y.output + oy) * axis.output + ox) * lanes + lane;
    strip.stride = lanes;
    strip.count = ox >= begin && ox + kCount <= end ? kCount : 1;
    strip.lanes = kLanes;
    if (strip.count == kCount) {
      const TapRange all{0, axis.kernel};
      SumOutputs<kLanes, kCount, Products>(layer, image, oy, ox, all, filters, sums);
    } else {
      SumOutputs<kLanes, 1, Products>(layer, image, oy, ox, axis.TapsInside(ox), filters, sums);
    }
    FinishVectors<kLanes, kCount, Products>(epilogue, strip, sums);
    ox += strip.count;
  }
}

template <int kLanes, typename Products, typename T>
inline void SumAnyRows(const DepthwiseLayer& layer, const DepthwiseTask& task, const T* x,
                       const VectorEpilogue<T>& epilogue) {
  for (int64_t oy = task.begin; oy < task.end; ++oy) {
    for (int64_t vector = task.first; vector < task.last; ++vector) {
      SumAnyRow<kLanes, Products>(layer, task, oy, vector, x, epilogue);
    }
  }
}

}  // namespace fettle
