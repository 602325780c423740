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

// Which copies of a channel there are: of each phase, as many as there are remainders of its taps'
// offsets by the vectors' length, each shifted by one of them, so that every tap looks at whole
// cache lines. A load that lies across two of them costs two.
class SparseCopies {
 public:
  struct Copy {
    int64_t phase = 0, shift = 0;
    friend bool operator==(const Copy&, const Copy&) = default;
  };

  // For blocks of at most so many positions.
  SparseCopies(const TapPlane& plane, int64_t lanes, int64_t positions);

  const std::vector<Copy>& all() const { return all_; }  // by phase
  bool is_unshifted() const { return is_unshifted_; }    // and so one a phase
  int64_t elements() const { return elements_; }         // of a copy
  int64_t channel_elements() const { return elements_ * static_cast<int64_t>(all_.size()); }
  // Where a tap finds the block's first position, from the channel's first element.
  int64_t OffsetOf(size_t tap) const { return offsets_[tap]; }

 private:
  std::vector<Copy> all_;
  std::vector<int64_t> offsets_;
  int64_t elements_ = 0;
  bool is_unshifted_ = true;
};

// How the filters are cut.
struct SparseCut {
  int64_t rows = 1;            // output channels that share their places
  int64_t parts = 1;           // even in their places
  int64_t slice_channels = 1;  // input channels of a slice; its copy below 2^16 elements
};

// `filters`: [outputs][inputs][taps], with zeros.
std::vector<SparsePart> CutFilters(std::span<const float> filters, int64_t outputs, int64_t inputs,
                                   const SparseCopies& copies, const SparseCut& cut);

// The most of 4, 2 and 1 neighbouring output channels which share their zeros throughout.
int64_t SharedRows(std::span<const float> filters, int64_t outputs);

}  // namespace fettle
