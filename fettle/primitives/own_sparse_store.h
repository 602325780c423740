#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <utility>
#include <vector>

#include "fettle/primitives/own_rows.h"
#include "fettle/primitives/own_tap_plane.h"
#include "fettle/primitives/own_vector.h"

// How own_sparse_conv.cpp stores its sums.

namespace fettle {

// The bounds of an activation that is nothing but bounds, or of none.
struct SparseBounds {
  float low = -std::numeric_limits<float>::infinity();
  float high = std::numeric_limits<float>::infinity();
};

inline std::optional<SparseBounds> BoundsOf(const std::optional<Activation>& activation) {
  if (!activation) return SparseBounds{};
  if (activation->kind == ActivationKind::kRelu) {
    return SparseBounds{0, std::numeric_limits<float>::infinity()};
  }
  if (activation->kind == ActivationKind::kClip) {
    return SparseBounds{activation->alpha, activation->beta};
  }
  return std::nullopt;
}

template <typename T>
struct SparseStore {
  Epilogue<T> epilogue;
  std::optional<SparseBounds> bounds;

  // That so many vectors will be stored there.
  template <int kLanes, int kVectors>
  inline void Expect(int64_t offset) const {
    for (int v = 0; v < kVectors; ++v) {
      __builtin_prefetch(epilogue.output + offset + int64_t{v} * kLanes, 1);
      if (epilogue.residual != nullptr) {
        __builtin_prefetch(epilogue.residual + offset + int64_t{v} * kLanes, 0);
      }
    }
  }

  // Straight from the registers. Asserts `bounds`.
  template <int kLanes, int kVectors>
  inline void PutVectors(const Vector<kLanes>* sums, int64_t offset) const {
    for (int v = 0; v < kVectors; ++v) Put<kLanes>(sums[v], offset + int64_t{v} * kLanes);
  }
  template <int kLanes>
  inline void Put(const Vector<kLanes>& sums, int64_t offset) const {
    Vector<kLanes> values = sums;
    if (epilogue.residual != nullptr) {
      Vector<kLanes> residual;
      LoadVector<kLanes>(epilogue.residual + offset, &residual);
      values += residual;
    }
    values = values < bounds->low ? Vector<kLanes>{} + bounds->low : values;
    values = values > bounds->high ? Vector<kLanes>{} + bounds->high : values;
    StoreVector<kLanes>(values, epilogue.output + offset);
  }

  // Neighbouring values, which it may spoil. The last vector lies over the one before.
  template <int kLanes>
  inline void PutRow(float* values, int64_t count, int64_t offset) const {
    if (!bounds || count < kLanes) return epilogue.Store(values, count, offset);
    for (int64_t i = 0; i < count; i += kLanes) {
      i = std::min(i, count - kLanes);
      Vector<kLanes> vector;
      LoadVector<kLanes>(values + i, &vector);
      Put<kLanes>(vector, offset + i);
    }
  }

  // The outputs among a row of sums. Short runs that are neighbours in the output are first put
  // together: in `row`, which has room for the sums and a vector more.
  template <int kLanes>
  inline void PutRuns(const std::vector<OutputRun>& runs, float* sums, float* row,
                      int64_t channel) const {
    for (size_t i = 0; i < runs.size();) {
      if (runs[i].count >= 2 * kLanes) {
        PutRow<kLanes>(sums + runs[i].from, runs[i].count, channel + runs[i].pixel);
        ++i;
        continue;
      }
      const int64_t first = runs[i].pixel;
      int64_t count = 0;
      for (; i < runs.size() && runs[i].pixel == first + count; ++i) {
        for (int64_t k = 0; k < runs[i].count; k += kLanes) {
          Vector<kLanes> vector;
          LoadVector<kLanes>(sums + runs[i].from + k, &vector);
          StoreVector<kLanes>(vector, row + count + k);
        }
        count += runs[i].count;
      }
      PutRow<kLanes>(row, count, channel + first);
    }
  }
};

}  // namespace fettle
