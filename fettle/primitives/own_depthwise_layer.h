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

  int64_t taps() const { return plane.y.kernel * plane.x.kernel; }
};

// Outputs of a group: vectors [first, last) of rows [begin, end).
struct DepthwiseTask {
  int64_t image = 0, group = 0, first = 0, last = 0, begin = 0, end = 0;
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
    Products::template Load<kLanes>(from, &pixel);
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

  // Adds the block's pixels of some rows, `line` elements apart, but kLeft and kRight columns,
  // `stride` elements apart, which lie beyond the image.
  template <int kLeft, int kRight, typename T>
  static inline void AddPixels(const T* from, int64_t line, int64_t stride, TapRange rows,
                               const float* filters, Vector<kLanes>* sums) {
#pragma GCC unroll 8
    for (int row = 0; row < kRows; ++row, from += line) {
      if (row < rows.first || row >= rows.last) continue;
      const T* at = from + kLeft * stride;
#pragma GCC unroll 32
      for (int column = kLeft; column < kColumns - kRight; ++column, at += stride) {
        AddPixel(at, row, column, filters, sums);
      }
    }
  }

  // The same for the `columns` that lie in the image; false where they are none of the common ones:
  // all, or all but half a window on the left, on the right or on both sides.
  template <typename T>
  static inline bool AddColumns(const T* from, int64_t line, int64_t stride, TapRange rows,
                                TapRange columns, const float* filters, Vector<kLanes>* sums) {
    constexpr int kHalf = kSide / 2;
    const int64_t left = columns.first, right = kColumns - columns.last;
    const auto add = [&]<int kLeft, int kRight>() {
      if (left != kLeft || right != kRight) return false;
      AddPixels<kLeft, kRight>(from, line, stride, rows, filters, sums);
      return true;
    };
    if (add.template operator()<0, 0>()) return true;
    if (add.template operator()<kHalf, 0>()) return true;
    if (add.template operator()<0, kHalf>()) return true;
    if constexpr (kStride == 2 && kHalf > 1) {
      // Of an even number of columns the last is not the middle of a window.
      if (add.template operator()<0, kHalf - 1>()) return true;
      if (add.template operator()<kHalf, kHalf - 1>()) return true;
    }
    return add.template operator()<kHalf, kHalf>();
  }

  // Copies those of the pixels that lie in the image, and zeros in the place of the others, to
  // where nothing else is between them.
  template <typename T>
  static inline void CopyPixels(const T* from, int64_t line, int64_t stride, TapRange rows,
                                TapRange columns, T* to) {
    constexpr size_t kBytes = kLanes * sizeof(T);
#pragma GCC unroll 1
    for (int64_t row = 0; row < kRows; ++row) {
      const bool is_row = row >= rows.first && row < rows.last;
      const int64_t first = is_row ? columns.first : kColumns, last = is_row ? columns.last : 0;
      const T* at = from + row * line + first * stride;
      int64_t column = 0;
#pragma GCC unroll 1
      for (; column < first; ++column, to += kLanes) std::memset(to, 0, kBytes);
#pragma GCC unroll 1
      for (; column < last; ++column, to += kLanes, at += stride) std::memcpy(to, at, kBytes);
#pragma GCC unroll 1
      for (; column < kColumns; ++column, to += kLanes) std::memset(to, 0, kBytes);
    }
  }
};

}  // namespace fettle
