#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "fettle/core/target.h"
#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/primitive.h"

// What own_grouped_conv.cpp makes of a layer in Prepare: which outputs are summed together, where
// the inputs they need lie, and their weights in the order they are needed in.
//
// A word is 32 bits: an input as f32, or a pair of inputs of one group as bf16 (step = 2).

namespace fettle {

// `count` elements of a pixel, `offset` elements behind the first of the image's first pixel, of
// which the lanes of a vector are chosen by `indices` (in words; lanes of the slab so far below
// `lanes`, of this source from there on).
struct LaneSource {
  int64_t offset = 0, count = 0;
  int64_t indices = 0;  // where they begin in GroupedLayer::indices
};

// Scratch for one inner index (spread), or a vector of them (broadcast, and permuted late): a
// vector for each pixel.
struct InputSlab {
  std::vector<LaneSource> sources;
  int64_t words = 1;  // of each vector that are inputs, where they are broadcast
};

// One or two vectors of outputs that are summed over the same inputs.
struct OutputUnit {
  int64_t vectors = 1;
  int64_t offset = 0;  // elements behind the first of the image's first pixel
  int64_t lanes = 0;   // channels in the last vector; the first is full where there are two
  int64_t weights = 0, bias = 0;  // where they begin, in words
  std::vector<InputSlab> slabs;
  bool is_one_vector = false;  // all spread slabs come from the same vector of a pixel
};

struct GroupedLayer {
  // Moved, not copied: where the weights lie depends on the memory that they were packed in.
  GroupedLayer() = default;
  GroupedLayer(GroupedLayer&&) = default;
  GroupedLayer& operator=(GroupedLayer&&) = default;

  ConvShape shape;
  ChannelView input, output;
  int64_t lanes = 0, step = 1;  // words of a vector, inputs of a word
  bool is_spread = false;       // every lane has an input of its own; else one for all
  bool is_late = false;         // is permuted as it is summed, not on the way into scratch
  int64_t vector_stride = 0;    // elements from an output's vector to the next
  int64_t strip = 0;            // outputs along a row that are summed together
  int64_t run = 1, runs = 0;    // strips along a row that share scratch; such runs in a row
  int64_t bands = 1, band = 0;  // of rows
  int64_t most_vectors = 1;     // of a unit

  // A row of scratch: [slab][phase][pixel][lanes]. A phase holds every stride-th pixel, so that an
  // output's right neighbour needs the next pixel whatever the stride is.
  int64_t phase_pixels = 0, slab_words = 0, row_words = 0, ring_rows = 0;
  std::vector<int64_t> tap_offsets;  // of each tap along x, in words
  std::vector<bool> is_phase_used;

  std::vector<OutputUnit> units;
  std::vector<uint32_t> indices;
  std::vector<std::byte>
      weights;              // spread [unit][ky][slab][kx][lane], else [..][word][vector][lane]
  std::vector<float> bias;  // [unit][vector][lane]

  int64_t tasks() const { return shape.batch * bands * runs * static_cast<int64_t>(units.size()); }
  int64_t ring_bytes() const { return ring_rows * row_words * 4; }
  // On a cache line of its own, wherever the vector's memory lies.
  const float* AlignedWeights() const;
  // Of a unit in scratch.
  int64_t slabs_kept(const OutputUnit& unit) const {
    return is_late ? 1 : static_cast<int64_t>(unit.slabs.size());
  }
  // Taps along a row that read neighbouring pixels.
  bool has_three_neighbours() const {
    const WindowAxis& x = shape.plane.x;
    return x.kernel == 3 && x.stride == 1 && x.dilation == 1;
  }
};

// Vectors of words, by what they are multiplied with.
struct GroupedWords {
  bool is_wide = false;  // 16 words, else 8
  int64_t step = 1;      // inputs of a word: 1 for f32, 2 for pairs of bf16
};

// A group must have whole words. `is_late`, see above; asserts CanPermuteLate.
GroupedLayer GroupedLayerOf(const LayerSpec& spec, Layout layout, const Target& target,
                            GroupedWords words, bool is_late,
                            std::span<const Tensor* const> weights);

// Whether lanes have inputs of their own, and those of each vector of outputs lie in one vector.
bool CanPermuteLate(const LayerSpec& spec, Layout layout, GroupedWords words);

}  // namespace fettle
