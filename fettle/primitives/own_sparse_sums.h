#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>

#include "fettle/primitives/own_sparse_filters.h"
#include "fettle/primitives/own_vector.h"

// The inner loops of own_sparse_conv.cpp.

namespace fettle {

// A slice's places of one group after another.
struct SparsePlaces {
  const uint16_t* offsets;
  const float* values;
};

// sums[row][kVectors] += value * copy[offset ...] over `count` places; the sums stay in registers,
// and a value is brought into all lanes once for kVectors products. `copy` is the slice's at the
// block's first position; rows lie `stride` floats apart.
template <int kLanes, int kRows, int kVectors>
inline void AddPlaces(const SparsePlaces& places, int64_t count, const float* copy, int64_t stride,
                      float* to) {
  Vector<kLanes> sums[kRows][kVectors];
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      LoadVector<kLanes>(to + r * stride + int64_t{v} * kLanes, &sums[r][v]);
    }
  }
  for (int64_t k = 0; k < count; ++k) {
    const float* from = copy + places.offsets[k];
    const float* values = places.values + k * kRows;
#pragma GCC unroll 16
    for (int v = 0; v < kVectors; ++v) {
      Vector<kLanes> inputs;
      LoadVector<kLanes>(from + int64_t{v} * kLanes, &inputs);
#pragma GCC unroll 4
      for (int r = 0; r < kRows; ++r) sums[r][v] += values[r] * inputs;
    }
  }
  for (int r = 0; r < kRows; ++r) {
    for (int v = 0; v < kVectors; ++v) {
      StoreVector<kLanes>(sums[r][v], to + r * stride + int64_t{v} * kLanes);
    }
  }
}

// All groups of a slice. sums[group][row]; after each group finish(group) is called.
template <int kLanes, int kRows, int kVectors, typename Finish>
inline void AddSlice(const SparseSlice& slice, const float* copy, int64_t stride, float* sums,
                     const Finish& finish) {
  SparsePlaces places{slice.offsets.data(), slice.values.data()};
  for (const SparseGroup& group : slice.groups) {
    float* to = sums + group.group * kRows * stride;
    AddPlaces<kLanes, kRows, kVectors>(places, group.count, copy, stride, to);
    finish(group.group);
    places.offsets += group.count;
    places.values += int64_t{group.count} * kRows;
  }
}

// Calls visit.operator()<kVectors>() for vectors = kVectors in [1, kMost].
template <int kMost, typename Visit>
inline void WithVectors(int64_t vectors, const Visit& visit) {
  const auto choose = [&]<int... kEach>(std::integer_sequence<int, kEach...>) {
    ((vectors == kEach + 1 ? visit.template operator()<kEach + 1>() : void()), ...);
  };
  choose(std::make_integer_sequence<int, kMost>());
}

// The first slice begins with the bias, in all lanes.
template <int kLanes>
inline void FillRows(const float* bias, int64_t rows, int64_t stride, float* sums) {
  for (int64_t row = 0; row < rows; ++row) {
    std::fill_n(sums + row * stride, stride, bias[row]);
  }
}

}  // namespace fettle
