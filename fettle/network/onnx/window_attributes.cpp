#include "fettle/network/onnx/window_attributes.h"

#include <algorithm>
#include <string_view>

#include "fettle/core/error.h"
#include "fettle/network/onnx/node_import.h"

namespace fettle {
namespace {

void RequireSupportedAxes(size_t axes) {
  if (axes != 1 && axes != 2) throw Refuse("a window over ", axes, " axes; only 1 or 2 are");
}

// The list, or so many times `otherwise`; bounded so that later sums stay within 64 bits.
std::vector<int64_t> ListOf(const std::optional<std::vector<int64_t>>& list, size_t entries,
                            int64_t otherwise, std::string_view name) {
  if (!list) return std::vector<int64_t>(entries, otherwise);
  if (list->size() != entries) {
    throw BadInput(name, " has ", list->size(), " entries, expected ", entries);
  }
  for (int64_t value : *list) {
    if (value < otherwise || value >= (int64_t{1} << 31)) {
      throw BadInput(name, " has the entry ", value);
    }
  }
  return *list;
}

int64_t Reach(const Window& window, size_t axis) {
  return (window.kernel[axis] - 1) * window.dilations[axis] + 1;
}

// So many pads that the output has ceil(input / stride) elements.
void PadToSame(AutoPad mode, const Shape& input, Window* window) {
  for (size_t axis = 0; axis < window->kernel.size(); ++axis) {
    const int64_t extent = input[axis + 2], stride = window->strides[axis];
    const int64_t last = extent <= 0 ? 0 : (extent - 1) / stride * stride;
    const int64_t pads = std::max<int64_t>(0, last + Reach(*window, axis) - extent);
    const int64_t smaller = pads / 2;
    window->pads_begin[axis] = mode == AutoPad::kSameUpper ? smaller : pads - smaller;
    window->pads_end[axis] = pads - window->pads_begin[axis];
  }
}

// ceil_mode: one more window where elements are left over, unless it would begin behind the input
// and its first pads.
void ResolveCeil(const Shape& input, size_t axis, ResolvedWindow* resolved) {
  Window& window = resolved->window;
  const int64_t begun = input[axis + 2] + window.pads_begin[axis];
  const int64_t room = begun + window.pads_end[axis] - Reach(window, axis);
  if (room < 0) return;
  const int64_t stride = window.strides[axis];
  int64_t last = (room + stride - 1) / stride * stride;
  if (last >= begun) last = std::max<int64_t>(0, last - stride);
  const int64_t end = last + Reach(window, axis);
  if (end > begun + window.pads_end[axis]) {
    resolved->overhang[axis] = end - begun - window.pads_end[axis];
  } else if (WindowOutput(window, axis, input[axis + 2]) > last / stride + 1) {
    window.pads_end[axis] = std::max<int64_t>(0, end - begun);
  }
}

}  // namespace

WindowAttributes ReadWindowAttributes(const Attributes& attributes) {
  WindowAttributes read;
  const std::string auto_pad = attributes.String("auto_pad", "NOTSET");
  if (auto_pad == "SAME_UPPER") {
    read.auto_pad = AutoPad::kSameUpper;
  } else if (auto_pad == "SAME_LOWER") {
    read.auto_pad = AutoPad::kSameLower;
  } else if (auto_pad == "VALID") {
    read.auto_pad = AutoPad::kValid;
  } else if (auto_pad != "NOTSET" && !auto_pad.empty()) {
    throw BadInput("auto_pad ", Quoted(auto_pad));
  }
  read.kernel = attributes.Ints("kernel_shape");
  read.strides = attributes.Ints("strides");
  read.dilations = attributes.Ints("dilations");
  read.pads = attributes.Ints("pads");
  if (read.kernel) RequireSupportedAxes(read.kernel->size());
  return read;
}

ResolvedWindow ResolveWindow(const WindowAttributes& attributes, const std::vector<int64_t>& kernel,
                             const Shape& input) {
  if (input.size() < 3) throw BadInput("input ", ShapeText(input), " has no spatial axis");
  const size_t axes = input.size() - 2;
  RequireSupportedAxes(axes);
  ResolvedWindow resolved;
  resolved.overhang.assign(axes, 0);
  Window& window = resolved.window;
  window.kernel = ListOf(kernel, axes, 1, "kernel_shape");
  window.strides = ListOf(attributes.strides, axes, 1, "strides");
  window.dilations = ListOf(attributes.dilations, axes, 1, "dilations");
  const std::vector<int64_t> pads = ListOf(attributes.pads, 2 * axes, 0, "pads");
  window.pads_begin.assign(pads.begin(), pads.begin() + static_cast<ptrdiff_t>(axes));
  window.pads_end.assign(pads.begin() + static_cast<ptrdiff_t>(axes), pads.end());
  if (attributes.auto_pad == AutoPad::kValid) {
    window.pads_begin.assign(axes, 0);
    window.pads_end.assign(axes, 0);
  } else if (attributes.auto_pad != AutoPad::kNotSet) {
    PadToSame(attributes.auto_pad, input, &window);
  }
  for (size_t axis = 0; attributes.ceil_mode && axis < axes; ++axis) {
    ResolveCeil(input, axis, &resolved);
  }
  return resolved;
}

}  // namespace fettle
