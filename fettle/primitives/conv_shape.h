#pragma once

#include <cstdint>

#include "fettle/core/layer_spec.h"
#include "fettle/primitives/layer_view.h"

namespace fettle {

// The extents of a convolution of one or two spatial axes; of one, plane.y is an axis of extent 1
// that the window does not move along.
struct ConvShape {
  int64_t batch = 1, in_channels = 1, out_channels = 1, groups = 1;
  WindowPlane plane;

  int64_t group_inputs() const { return in_channels / groups; }
  int64_t group_outputs() const { return out_channels / groups; }
  int64_t input_pixels() const { return plane.y.input * plane.x.input; }
  int64_t output_pixels() const { return plane.y.output * plane.x.output; }
  int64_t taps() const { return plane.y.kernel * plane.x.kernel; }
  bool is_dense() const { return plane.y.stride == 1 && plane.x.stride == 1; }

  // Each output pixel reads the input pixel that lies where it does, and no other.
  bool is_pointwise() const;
};

// Whether a window has `axes` axes, positive extents, strides and dilations, no negative padding
// and nothing beyond 2^31.
Support WindowSupport(const Window& window, size_t axes);

// Whether the spec is a convolution of one or two spatial axes whose extents fit one another, none
// of them zero. Says nothing about element types.
Support ConvShapeSupport(const LayerSpec& spec);

// Asserts ConvShapeSupport.
ConvShape ConvShapeOf(const LayerSpec& spec);

}  // namespace fettle
