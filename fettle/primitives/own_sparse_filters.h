#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fettle/primitives/own_tap_plane.h"

namespace fettle {

// Some neighbouring output channels, `SparseFilters::rows` of them, as far as one slice of the
// inputs goes: so many places where any of them is not zero.
struct SparseGroup {
  int32_t group = 0;  // of the part's
  int32_t count = 0;
};

// The weights of some input channels. The groups come in the order of their counts, so that the
// loop over places ends where the branch predictor expects it.
struct SparseSlice {
  int64_t first_channel = 0, channels = 0;
  std::vector<SparseGroup> groups;
  std::vector<uint16_t> offsets;  // of each place, into the slice's copy of the inputs
  std::vector<float> values;      // [place][row]

  size_t Bytes() const {
    return groups.size() * sizeof(SparseGroup) + offsets.size() * sizeof(uint16_t) +
           values.size() * sizeof(float);
  }
};

// The weights of some output channels, which one thread computes.
struct SparsePart {
  int64_t first_output = 0, outputs = 0;
  std::vector<SparseSlice> slices;
};

// How the filters are cut.
struct SparseCut {
  int64_t rows = 1;            // output channels that share their places
  int64_t parts = 1;           // even in their places
  int64_t slice_channels = 1;  // input channels of a slice
  int64_t copy_elements = 0;   // of one channel and phase in the slice's copy
};

// `filters`: [outputs][inputs][taps], with zeros. A place of channel c (counted within its slice),
// phase p and offset o has the offset (c * phases + p) * copy_elements + o, below 2^16.
std::vector<SparsePart> CutFilters(std::span<const float> filters, int64_t outputs, int64_t inputs,
                                   const TapPlane& plane, const SparseCut& cut);

// The most of 4, 2 and 1 neighbouring output channels which share their zeros throughout.
int64_t SharedRows(std::span<const float> filters, int64_t outputs);

}  // namespace fettle
