#pragma once

#include <cstdint>
#include <vector>

#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_epilogue.h"

// What own_depthwise_conv.cpp sums: one filter a channel, lanes are channels.

namespace fettle {

struct DepthwiseLayer {
  WindowPlane plane;
  ChannelView input, output;
  int64_t vectors = 0;         // of each group's lanes; the last begins earlier where it must
  std::vector<float> filters;  // [group][vector][tap][lane]
  std::vector<float> bias;     // [group][vector][lane]
  std::vector<float> zeros;    // the lanes of a pixel beyond the image

  int64_t taps() const { return plane.y.kernel * plane.x.kernel; }
};

// Outputs of a group: vectors [first, last) of two rows from `oy` on, in strips along the row.
struct DepthwiseTask {
  int64_t image = 0, group = 0, oy = 0, first = 0, last = 0;
};

// The sums of a window of kSide x kSide, every kStride-th pixel: two rows of kCount outputs each,
// in registers. A pixel is loaded once for all of them.
template <int kLanesOfIt, int kSide, int kStride, int kCount, typename Products>
struct DepthwiseBlock {
  static constexpr int kLanes = kLanesOfIt;
  static constexpr int kRows = kSide + kStride, kColumns = (kCount - 1) * kStride + kSide;
  using Sums = Vector<kLanes>[2 * kCount];

  // Adds a pixel to all sums that it has a part in.
  template <typename T>
  static inline void AddPixel(const T* from, int row, int column, const float* filters,
                              Vector<kLanes>* sums) {
    Vector<kLanes> pixel;
    LoadVector<kLanes>(from, &pixel);
#if defined(__x86_64__)
    // Else it is loaded for each of its products.
    if constexpr (kLanes == 16) asm("" : "+v"(pixel));
#endif
#pragma GCC unroll 2
    for (int oy = 0; oy < 2; ++oy) {
      const int ky = row - oy * kStride;
      if (ky < 0 || ky >= kSide) continue;
#pragma GCC unroll 8
      for (int kx = 0; kx < kSide; ++kx) {
        const int ox = (column - kx) / kStride;
        if (column < kx || (column - kx) % kStride != 0 || ox >= kCount) continue;
        Vector<kLanes> filter;
        LoadVector<kLanes>(filters + (ky * kSide + kx) * kLanes, &filter);
        Products::template AddProduct<kLanes>(pixel, filter, &sums[oy * kCount + ox]);
      }
    }
  }

  // The pixels lie in the image: rows `line` elements apart, columns `stride`.
  template <typename T>
  static inline void AddInside(const T* from, int64_t line, int64_t stride, const float* filters,
                               Vector<kLanes>* sums) {
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row, from += line) {
      const T* at = from;
#pragma GCC unroll 32
      for (int column = 0; column < kColumns; ++column, at += stride) {
        AddPixel(at, row, column, filters, sums);
      }
    }
  }

  // They lie wherever `pixels` says.
  template <typename T>
  static inline void AddAnywhere(const T* const* pixels, int64_t lane, const float* filters,
                                 Vector<kLanes>* sums) {
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row) {
#pragma GCC unroll 32
      for (int column = 0; column < kColumns; ++column) {
        AddPixel(pixels[row * kColumns + column] + lane, row, column, filters, sums);
      }
    }
  }
};

}  // namespace fettle
