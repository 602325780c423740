#pragma once

#include <algorithm>
#include <cstdint>
#include <vector>

#include "fettle/primitives/own_sparse_filters.h"
#include "fettle/primitives/own_vector.h"

// How own_sparse_conv.cpp brings a slice's inputs to where its taps look for them.

namespace fettle {

// `count` of every step-th element, as f32.
template <typename T>
inline void CopySteps(const T* from, int64_t count, int64_t step, float* to) {
  if (step == 2) {
#pragma omp simd
    for (int64_t i = 0; i < count; ++i) to[i] = Widen(from[i * 2]);
  } else {
    for (int64_t i = 0; i < count; ++i) to[i] = Widen(from[i * step]);
  }
}

// One phase of a channel. `to` has room for a vector more than the runs.
template <int kLanes, typename T>
inline void CopyPhase(const std::vector<CopyRun>& runs, int64_t step, const T* channel, float* to) {
  for (const CopyRun& run : runs) {
    float* piece = to + run.to;
    if (run.from < 0) {
      for (int64_t i = 0; i < run.count; ++i) piece[i] = 0;
    } else if (step == 1) {
      CopyElements<kLanes>(channel + run.from, run.count, piece);
    } else {
      CopySteps(channel + run.from, run.count, step, piece);
    }
  }
}

// All copies of a channel. `line` is scratch: a copy's elements and a vector more. `phases`: the
// runs of each.
template <int kLanes, typename T>
inline void CopyChannel(const SparseCopies& copies, const std::vector<std::vector<CopyRun>>& phases,
                        int64_t step, const T* channel, float* line, float* to) {
  const bool is_direct = copies.is_unshifted();
  int64_t phase = -1;
  for (const SparseCopies::Copy& copy : copies.all()) {
    if (copy.phase != phase) {
      phase = copy.phase;
      CopyPhase<kLanes>(phases[static_cast<size_t>(phase)], step, channel, is_direct ? to : line);
    }
    if (!is_direct) {
      for (int64_t i = 0; i < copies.elements(); i += kLanes) {
        Vector<kLanes> values;
        LoadVector<kLanes>(line + copy.shift + i, &values);
        StoreVector<kLanes>(values, to + i);
      }
    }
    to += copies.elements();
  }
}

// What the next slice will copy, asked for bit by bit while this one is computed: pieces of
// channels are too short, and too far from one another, for the processor to do so by itself.
class SparsePrefetch {
 public:
  SparsePrefetch() = default;
  // `bytes` of each of so many channels, `stride` bytes from one to the next, in `turns` turns.
  SparsePrefetch(const void* first, int64_t bytes, int64_t channels, int64_t stride, int64_t turns)
      : channel_(static_cast<const char*>(first)),
        lines_((bytes + kLine - 1) / kLine),
        left_(lines_ * channels),
        stride_(stride),
        step_((left_ + turns - 1) / std::max<int64_t>(turns, 1)) {}

  inline void Turn() {
    for (int64_t i = 0; i < step_ && left_ > 0; ++i, --left_) {
      __builtin_prefetch(channel_ + line_ * kLine, 0, 2);
      if (++line_ < lines_) continue;
      line_ = 0;
      channel_ += stride_;
    }
  }

 private:
  static constexpr int64_t kLine = 64;

  const char* channel_ = nullptr;
  int64_t lines_ = 0, line_ = 0, left_ = 0, stride_ = 0, step_ = 0;
};

}  // namespace fettle
