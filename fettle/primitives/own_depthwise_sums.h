#pragma once

#include <algorithm>
#include <cstdint>

#include "fettle/primitives/own_depthwise_layer.h"

// The loops of own_depthwise_conv.cpp over strips and vectors.

namespace fettle {

// Where a block's pixels are: `zeros` beyond the image.
template <typename Block, typename T>
inline void FindPixels(const DepthwiseLayer& layer, const T* image, int64_t y, int64_t x,
                       const T** pixels) {
  const int64_t lanes = layer.input.lanes;
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const auto* zeros = reinterpret_cast<const T*>(layer.zeros.data());
#pragma GCC unroll 1
  for (int row = 0; row < Block::kRows; ++row) {
    const bool is_row = y + row >= 0 && y + row < ya.input;
    const T* line = image + (y + row) * xa.input * lanes;
#pragma GCC unroll 1
    for (int column = 0; column < Block::kColumns; ++column, ++pixels) {
      const bool is_pixel = is_row && x + column >= 0 && x + column < xa.input;
      *pixels = is_pixel ? line + (x + column) * lanes : zeros;
    }
  }
}

// A task, for windows that a block knows.
template <typename Block, int kStride, int kCount, typename Products, typename T>
inline void SumRows(const DepthwiseLayer& layer, const DepthwiseTask& task, const T* x,
                    const VectorEpilogue<T>& epilogue) {
  constexpr int kLanes = Block::kLanes;
  const WindowAxis &ya = layer.plane.y, &xa = layer.plane.x;
  const int64_t lanes = layer.input.lanes, line = xa.input * lanes;
  const int64_t plane = task.image * layer.input.groups + task.group;
  const T* image = x + plane * layer.input.space * lanes;
  const int64_t iy = task.oy * kStride - ya.pad_begin;
  const bool is_inside_y = iy >= 0 && iy + Block::kRows <= ya.input;
  for (int64_t ox = 0; ox < xa.output; ox += kCount) {
    const int64_t ix = ox * kStride - xa.pad_begin;
    const bool is_inside = is_inside_y && ix >= 0 && ix + Block::kColumns <= xa.input;
    const T* pixels[Block::kRows * Block::kColumns];
    if (!is_inside) FindPixels<Block>(layer, image, iy, ix, pixels);
    for (int64_t vector = task.first; vector < task.last; ++vector) {
      const int64_t lane = std::min(vector * kLanes, lanes - kLanes);
      const int64_t index = task.group * layer.vectors + vector;
      const float* filters = layer.filters.data() + index * layer.taps() * kLanes;
      typename Block::Sums sums;
#pragma GCC unroll 16
      for (int i = 0; i < 2 * kCount; ++i) {
        LoadVector<kLanes>(layer.bias.data() + index * kLanes, &sums[i]);
      }
      if (is_inside) {
        Block::AddInside(image + iy * line + ix * lanes + lane, line, lanes, filters, sums);
      } else {
        Block::AddAnywhere(pixels, lane, filters, sums);
      }
      OutputStrip strip;
      strip.offset = ((plane * ya.output + task.oy) * xa.output + ox) * lanes + lane;
      strip.stride = lanes;
      strip.count = std::min<int64_t>(kCount, xa.output - ox);
      strip.lanes = kLanes;
      FinishVectors<kLanes, kCount, Products>(epilogue, strip, sums);
      if (task.oy + 1 == ya.output) continue;
      strip.offset += xa.output * lanes;
      FinishVectors<kLanes, kCount, Products>(epilogue, strip, sums + kCount);
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
        LoadVector<kLanes>(from + i * xa.stride * lanes, &pixel);
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
  const int64_t end = std::min(task.oy + 2, layer.plane.y.output);
  for (int64_t oy = task.oy; oy < end; ++oy) {
    for (int64_t vector = task.first; vector < task.last; ++vector) {
      SumAnyRow<kLanes, Products>(layer, task, oy, vector, x, epilogue);
    }
  }
}

}  // namespace fettle
