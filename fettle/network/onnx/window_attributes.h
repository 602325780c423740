#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "fettle/core/op.h"
#include "fettle/network/onnx/attributes.h"

namespace fettle {

enum class AutoPad : uint8_t { kNotSet, kSameUpper, kSameLower, kValid };

// What ONNX says of a sliding window, before the input's shape is known.
struct WindowAttributes {
  AutoPad auto_pad = AutoPad::kNotSet;
  std::optional<std::vector<int64_t>> kernel, strides, dilations, pads;
  bool ceil_mode = false;
};

struct ResolvedWindow {
  Window window;
  std::vector<int64_t> overhang;  // of ceil_mode; see Pool
};

// Throws a Refusal for windows over other than 1 or 2 axes.
WindowAttributes ReadWindowAttributes(const Attributes& attributes);

// With the pads that auto_pad asks for and the overhang of ceil_mode, over an input [N,C,...].
// `kernel` is the attribute's, or the weights' where it is left out.
ResolvedWindow ResolveWindow(const WindowAttributes& attributes, const std::vector<int64_t>& kernel,
                             const Shape& input);

}  // namespace fettle
