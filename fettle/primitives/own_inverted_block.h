#pragma once

#include <limits>
#include <optional>
#include <span>
#include <vector>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/channel_view.h"
#include "fettle/primitives/own_gemm.h"
#include "fettle/primitives/own_row_products.h"

// What own_inverted_residual.cpp prepares of a layer.

namespace fettle {

// An activation as bounds; what is none is applied to the values in memory, between all bounds.
struct ActivationBounds {
  explicit ActivationBounds(const std::optional<Activation>& op) {
    if (!op) return;
    if (op->kind == ActivationKind::kRelu) {
      bounds.low = 0;
    } else if (op->kind == ActivationKind::kClip) {
      bounds = {op->alpha, op->beta};
    } else {
      other = op;
    }
  }

  Bounds bounds{-std::numeric_limits<float>::infinity(), std::numeric_limits<float>::infinity()};
  std::optional<Activation> other;
};

// What is prepared of a layer.
struct InvertedBlock {
  explicit InvertedBlock(const LayerSpec& spec)
      : InvertedBlock(spec, std::get<InvertedResidual>(spec.op)) {}
  InvertedBlock(const LayerSpec& spec, const InvertedResidual& op)
      : expands(op.expands),
        expanded(op.expanded),
        filtered(op.filtered),
        projected(spec.activation) {}

  WindowPlane plane;
  ChannelView input, output;
  bool expands;
  ActivationBounds expanded, filtered, projected;
  int64_t inputs = 0, channels = 0, outputs = 0;
  PackedWeights expansion, projection;
  std::vector<float> filters;                                       // [panel][tap][width]
  std::vector<float> expansion_bias, filter_bias, projection_bias;  // whole panels

  // The work of a thread, in floats of its memory: `band` rows of outputs at a time.
  int64_t width = 0, panels = 0;          // of the channels between
  int64_t band = 1, bands = 1;            // rows; of an image
  int64_t ring_rows = 0, ring_width = 0;  // of one panel, in pixels with padding
  int64_t ring_step = 0;                  // from panel to panel; 0 where all share one
  bool is_direct = false;                 // results go from registers to the output
  int64_t depth = 0;                      // channels that are projected at once
  int64_t image = 0;                      // offsets of the widened input, ...
  int64_t filtered_at = 0, sums = 0, lines_at = 0, total = 0;

  int64_t taps() const { return plane.y.kernel * plane.x.kernel; }
  int64_t output_stride() const { return projection.panels() * width; }
  size_t WeightBytes() const;
};

// Asserts that the primitive supports it. The target's threads and caches decide on the bands.
InvertedBlock PrepareInvertedBlock(const LayerSpec& spec, Layout layout, const Target& target,
                                   std::span<const Tensor* const> weights);

}  // namespace fettle
