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

// Without it, GCC keeps the loop's pointers in vector registers, from which it fetches them for
// each place.
template <typename T>
inline void InRegister(T** pointer) {
  asm("" : "+r"(*pointer));
}

// sums[row][kVectors] in registers.
template <int kLanes, int kRows, int kVectors>
struct SparseSums {
  Vector<kLanes> at[kRows][kVectors];

  inline void Fill(const float* bias) {
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) at[r][v] = Vector<kLanes>{} + bias[r];
    }
  }
  inline void Load(const float* from) {
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        LoadVector<kLanes>(from + int64_t{r * kVectors + v} * kLanes, &at[r][v]);
      }
    }
  }
  inline void Store(float* to) const {
    for (int r = 0; r < kRows; ++r) {
      for (int v = 0; v < kVectors; ++v) {
        StoreVector<kLanes>(at[r][v], to + int64_t{r * kVectors + v} * kLanes);
      }
    }
  }

  // += value * copy[offset ...] over `count` places; a value is brought into all lanes once for
  // kVectors products. `copy` is the slice's at the block's first position.
  inline void Add(const SparsePlaces& places, int64_t count, const float* copy) {
    const uint16_t* offset = places.offsets;
    const float* values = places.values;
    InRegister(&offset);
    InRegister(&values);
    InRegister(&copy);
    const uint16_t* end = offset + count;
    for (; offset != end; ++offset, values += kRows) {
      const float* from = copy + *offset;
#pragma GCC unroll 16
      for (int v = 0; v < kVectors; ++v) {
        Vector<kLanes> inputs;
        LoadVector<kLanes>(from + int64_t{v} * kLanes, &inputs);
#pragma GCC unroll 4
        for (int r = 0; r < kRows; ++r) at[r][v] += values[r] * inputs;
      }
    }
  }
};

// All groups of a slice: begin(row, &sums), the slice's places, finish(row, sums).
template <int kLanes, int kRows, int kVectors, typename Ahead, typename Begin, typename Finish>
inline void AddSlice(const SparseSlice& slice, const float* copy, const Ahead& ahead,
                     const Begin& begin, const Finish& finish) {
  SparsePlaces places{slice.offsets.data(), slice.values.data()};
  constexpr size_t kAhead = 6;
  for (size_t i = 0; i < slice.groups.size(); ++i) {
    const SparseGroup& group = slice.groups[i];
    SparseSums<kLanes, kRows, kVectors> sums;
    const int64_t row = int64_t{group.group} * kRows;
    ahead(int64_t{slice.groups[std::min(i + kAhead, slice.groups.size() - 1)].group} * kRows);
    begin(row, &sums);
    sums.Add(places, group.count, copy);
    finish(row, sums);
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

}  // namespace fettle
