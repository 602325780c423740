#include "fettle/core/shape_inference.h"

#include <algorithm>
#include <numeric>
#include <string>
#include <variant>

#include "fettle/core/error.h"

namespace fettle {
namespace {

using Inputs = std::span<const TensorType>;

constexpr int64_t kMostElements = int64_t{1} << 40;

template <typename... Parts>
void Require(bool holds, const Parts&... parts) {
  if (!holds) throw BadInput(parts...);
}

void RequireCount(Inputs inputs, size_t least, size_t most) {
  Require(inputs.size() >= least && inputs.size() <= most, "takes ", least,
          least == most ? "" : Text(" to ", most), " inputs, got ", inputs.size());
}

void RequireSameDType(Inputs inputs) {
  for (const TensorType& input : inputs) {
    Require(input.dtype == inputs[0].dtype, "inputs of different element types, ",
            NameOf(inputs[0].dtype), " and ", NameOf(input.dtype));
  }
}

void RequireShape(const TensorType& input, const Shape& shape, std::string_view what) {
  Require(input.shape == shape, what, " is ", TypeText(input), ", expected ", ShapeText(shape));
}

void RequireAxis(int64_t axis, const TensorType& input) {
  Require(axis >= 0 && axis < static_cast<int64_t>(input.shape.size()), "axis ", axis,
          " of an input ", TypeText(input));
}

void RequireEntries(size_t entries, size_t expected, std::string_view what) {
  Require(entries == expected, what, " has ", entries, " entries, expected ", expected);
}

void RequireAll(const std::vector<int64_t>& values, int64_t least, std::string_view what) {
  // The upper bound keeps every later sum and product of two within 64 bits.
  for (int64_t value : values) {
    Require(value >= least && value < (int64_t{1} << 31), what, " has the entry ", value);
  }
}

void RequireWindow(const Window& window, size_t axes) {
  Require(axes == 1 || axes == 2, "windows over ", axes, " axes are not supported, only 1 or 2");
  const struct {
    const std::vector<int64_t>& values;
    int64_t least;
    std::string_view name;
  } lists[] = {{window.kernel, 1, "kernel"},
               {window.strides, 1, "strides"},
               {window.dilations, 1, "dilations"},
               {window.pads_begin, 0, "pads_begin"},
               {window.pads_end, 0, "pads_end"}};
  for (const auto& list : lists) {
    RequireEntries(list.values.size(), axes, list.name);
    RequireAll(list.values, list.least, list.name);
  }
}

int64_t WindowExtent(const Window& window, size_t axis, int64_t input) {
  const int64_t output = WindowOutput(window, axis, input);
  Require(output > 0, "the window of ", window.kernel[axis], " (dilation ", window.dilations[axis],
          ") does not fit an axis of ", input, " padded by ", window.pads_begin[axis], " and ",
          window.pads_end[axis]);
  return output;
}

Shape Broadcast(const Shape& a, const Shape& b) {
  Shape result(std::max(a.size(), b.size()), 1);
  const auto extent = [&](const Shape& shape, size_t axis) {
    const size_t missing = result.size() - shape.size();
    return axis < missing ? 1 : shape[axis - missing];
  };
  for (size_t axis = 0; axis < result.size(); ++axis) {
    const int64_t p = extent(a, axis), q = extent(b, axis);
    Require(p == q || p == 1 || q == 1, "cannot broadcast ", ShapeText(a), " with ", ShapeText(b));
    result[axis] = p == 1 ? q : p;
  }
  return result;
}

TensorType Infer(const Conv& op, Inputs inputs) {
  RequireCount(inputs, 2, 3);
  RequireSameDType(inputs);
  const Shape& x = inputs[0].shape;
  const Shape& w = inputs[1].shape;
  Require(x.size() >= 3 && w.size() == x.size(), "input ", ShapeText(x), " with weights ",
          ShapeText(w));
  RequireWindow(op.window, x.size() - 2);
  Require(op.groups >= 1 && w[0] > 0 && w[0] % op.groups == 0, op.groups, " groups of ", w[0],
          " output channels");
  Require(x[1] % op.groups == 0 && x[1] / op.groups == w[1], op.groups, " groups of ", x[1],
          " input channels with weights ", ShapeText(w));
  Require(std::equal(op.window.kernel.begin(), op.window.kernel.end(), w.begin() + 2), "kernel ",
          ShapeText(op.window.kernel), " with weights ", ShapeText(w));
  if (inputs.size() == 3) RequireShape(inputs[2], {w[0]}, "bias");
  Shape y = {x[0], w[0]};
  for (size_t i = 0; i + 2 < x.size(); ++i) y.push_back(WindowExtent(op.window, i, x[i + 2]));
  return {inputs[0].dtype, y};
}

TensorType Infer(const BatchNorm&, Inputs inputs) {
  RequireCount(inputs, 5, 5);
  Require(inputs[0].shape.size() >= 2, "input ", TypeText(inputs[0]), " has no channel axis");
  for (const TensorType& input : inputs.subspan(1)) {
    RequireShape(input, {inputs[0].shape[1]}, "a per-channel input");
  }
  return inputs[0];
}

TensorType Infer(const Gemm& op, Inputs inputs) {
  RequireCount(inputs, 2, 3);
  RequireSameDType(inputs);
  Shape a = inputs[0].shape, b = inputs[1].shape;
  Require(a.size() == 2 && b.size() == 2, "not matrices: ", ShapeText(a), " and ", ShapeText(b));
  if (op.transpose_a) std::swap(a[0], a[1]);
  if (op.transpose_b) std::swap(b[0], b[1]);
  Require(a[1] == b[0], "cannot multiply ", ShapeText(a), " by ", ShapeText(b));
  const Shape y = {a[0], b[1]};
  if (inputs.size() == 3) {
    Require(Broadcast(inputs[2].shape, y) == y, "bias ", TypeText(inputs[2]),
            " does not broadcast to ", ShapeText(y));
  }
  return {inputs[0].dtype, y};
}

TensorType Infer(const MatMul&, Inputs inputs) {
  RequireCount(inputs, 2, 2);
  RequireSameDType(inputs);
  Shape a = inputs[0].shape, b = inputs[1].shape;
  Require(!a.empty() && !b.empty(), "cannot multiply a scalar");
  const bool is_row = a.size() == 1, is_column = b.size() == 1;
  if (is_row) a.insert(a.begin(), 1);
  if (is_column) b.push_back(1);
  Require(a.back() == b[b.size() - 2], "cannot multiply ", ShapeText(inputs[0].shape), " by ",
          ShapeText(inputs[1].shape));
  Shape y = Broadcast({a.begin(), a.end() - 2}, {b.begin(), b.end() - 2});
  if (!is_row) y.push_back(a[a.size() - 2]);
  if (!is_column) y.push_back(b.back());
  return {inputs[0].dtype, y};
}

TensorType Infer(const Activation&, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  return inputs[0];
}

TensorType Infer(const Softmax& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  RequireAxis(op.axis, inputs[0]);
  return inputs[0];
}

TensorType Infer(const Pool& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  Require(x.size() >= 3, "input ", TypeText(inputs[0]), " has no spatial axis");
  RequireWindow(op.window, x.size() - 2);
  RequireEntries(op.overhang.size(), x.size() - 2, "overhang");
  RequireAll(op.overhang, 0, "overhang");
  Shape y = {x[0], x[1]};
  for (size_t i = 0; i + 2 < x.size(); ++i) {
    y.push_back(WindowExtent(op.window, i, x[i + 2] + op.overhang[i]));
  }
  return {inputs[0].dtype, y};
}

TensorType Infer(const GlobalAveragePool&, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  Require(inputs[0].shape.size() >= 3, "input ", TypeText(inputs[0]), " has no spatial axis");
  TensorType y = inputs[0];
  std::fill(y.shape.begin() + 2, y.shape.end(), 1);
  return y;
}

TensorType Infer(const ReduceMean& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  Require(std::is_sorted(op.axes.begin(), op.axes.end(), std::less_equal<>()) || op.axes.size() < 2,
          "axes ", ShapeText(op.axes), " do not ascend");
  for (int64_t axis : op.axes) RequireAxis(axis, inputs[0]);
  Shape y;
  for (size_t axis = 0; axis < x.size(); ++axis) {
    if (!std::binary_search(op.axes.begin(), op.axes.end(), static_cast<int64_t>(axis))) {
      y.push_back(x[axis]);
    } else if (op.keep_dims) {
      y.push_back(1);
    }
  }
  return {inputs[0].dtype, y};
}

TensorType InferBroadcast(Inputs inputs) {
  RequireSameDType(inputs);
  TensorType y = inputs[0];
  for (const TensorType& input : inputs.subspan(1)) y.shape = Broadcast(y.shape, input.shape);
  return y;
}

TensorType Infer(const Binary&, Inputs inputs) {
  RequireCount(inputs, 2, 2);
  return InferBroadcast(inputs);
}

TensorType Infer(const Sum&, Inputs inputs) {
  Require(!inputs.empty(), "takes at least 1 input, got 0");
  return InferBroadcast(inputs);
}

TensorType Infer(const Concat& op, Inputs inputs) {
  Require(!inputs.empty(), "takes at least 1 input, got 0");
  RequireSameDType(inputs);
  TensorType y = inputs[0];
  RequireAxis(op.axis, y);
  for (const TensorType& input : inputs.subspan(1)) {
    Shape expected = y.shape;
    RequireAxis(op.axis, input);
    expected[op.axis] = input.shape[op.axis];
    RequireShape(input, expected, "an input");
    Require(!__builtin_add_overflow(y.shape[op.axis], input.shape[op.axis], &y.shape[op.axis]),
            "the axis overflows");
  }
  return y;
}

TensorType Infer(const Slice& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  TensorType y = inputs[0];
  const size_t rank = y.shape.size();
  RequireEntries(op.starts.size(), rank, "starts");
  RequireEntries(op.ends.size(), rank, "ends");
  RequireEntries(op.steps.size(), rank, "steps");
  for (size_t axis = 0; axis < rank; ++axis) {
    const int64_t start = op.starts[axis], end = op.ends[axis], step = op.steps[axis];
    const int64_t extent = y.shape[axis];
    Require(step != 0 && step > -(int64_t{1} << 31) && step < (int64_t{1} << 31), "step ", step);
    const bool is_inside = step > 0 ? start >= 0 && start <= extent && end >= 0 && end <= extent
                                    : start >= -1 && start < extent && end >= -1 && end < extent;
    Require(is_inside, "slice from ", start, " to ", end, " of an axis of ", extent);
    const int64_t distance = step > 0 ? end - start : start - end;
    const int64_t stride = step > 0 ? step : -step;
    y.shape[axis] = distance <= 0 ? 0 : (distance + stride - 1) / stride;
  }
  return y;
}

TensorType Infer(const Reshape& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  Require(CheckedElementCount(op.shape) == CheckedElementCount(inputs[0].shape), "cannot reshape ",
          ShapeText(inputs[0].shape), " to ", ShapeText(op.shape));
  return {inputs[0].dtype, op.shape};
}

TensorType Infer(const Transpose& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  const Shape& x = inputs[0].shape;
  std::vector<int64_t> sorted = op.permutation, axes(x.size());
  std::sort(sorted.begin(), sorted.end());
  std::iota(axes.begin(), axes.end(), 0);
  Require(sorted == axes, "not a permutation of the axes of ", TypeText(inputs[0]));
  Shape y;
  y.reserve(x.size());
  for (int64_t axis : op.permutation) y.push_back(x[axis]);
  return {inputs[0].dtype, y};
}

TensorType Infer(const Pad& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  TensorType y = inputs[0];
  RequireEntries(op.begin.size(), y.shape.size(), "begin");
  RequireEntries(op.end.size(), y.shape.size(), "end");
  RequireAll(op.begin, -(int64_t{1} << 31), "begin");
  RequireAll(op.end, -(int64_t{1} << 31), "end");
  for (size_t axis = 0; axis < y.shape.size(); ++axis) {
    const int64_t extent = y.shape[axis], begin = op.begin[axis], end = op.end[axis];
    const int64_t widest = std::max(begin, end);
    Require(begin + extent >= 0 && end + extent >= 0 && extent + begin + end >= 0, "removing ",
            begin, " and ", end, " of an axis of ", extent);
    Require(op.mode != PadMode::kReflect || widest < std::max<int64_t>(extent, 1), "reflecting ",
            widest, " elements of an axis of ", extent);
    Require(op.mode != PadMode::kEdge || extent > 0 || widest <= 0, "the edge of an empty axis");
    y.shape[axis] = extent + begin + end;
  }
  return y;
}

TensorType Infer(const Resize& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  RequireEntries(op.sizes.size(), inputs[0].shape.size(), "sizes");
  RequireEntries(op.scales.size(), inputs[0].shape.size(), "scales");
  RequireAll(op.sizes, 1, "sizes");
  RequireAll(inputs[0].shape, 1, "the input's shape");
  for (float scale : op.scales) Require(scale > 0, "scale ", scale);
  return {inputs[0].dtype, op.sizes};
}

TensorType Infer(const Lrn& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  Require(op.size >= 1, "size ", op.size);
  Require(inputs[0].shape.size() >= 2, "input ", TypeText(inputs[0]), " has no channel axis");
  return inputs[0];
}

TensorType Infer(const Cast& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  return {op.dtype, inputs[0].shape};
}

TensorType Infer(const Identity&, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  return inputs[0];
}

TensorType Infer(const InnerProduct&, Inputs inputs) {
  return Infer(Gemm{.transpose_b = true}, inputs);
}

TensorType Infer(const ChannelAffine&, Inputs inputs) {
  RequireCount(inputs, 3, 3);
  Require(inputs[0].shape.size() >= 2, "input ", TypeText(inputs[0]), " has no channel axis");
  RequireShape(inputs[1], {inputs[0].shape[1]}, "scale");
  RequireShape(inputs[2], {inputs[0].shape[1]}, "shift");
  return inputs[0];
}

TensorType Infer(const Reorder&, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  return inputs[0];
}

// A convolution of channels, each with one filter, or pointwise, with its bias.
TensorType InferPart(const Conv& op, const TensorType& x, Inputs weights) {
  const TensorType inputs[] = {x, weights[0], weights[1]};
  return Infer(op, inputs);
}

TensorType Infer(const InvertedResidual& op, Inputs inputs) {
  const size_t count = op.expands ? 7 : 5;
  RequireCount(inputs, count, count);
  Require(op.expands || !op.expanded, "an activation of an expansion that there is not");
  TensorType x = inputs[0];
  Require(x.shape.size() >= 3, "input ", TypeText(x), " has no spatial axis");
  const size_t axes = x.shape.size() - 2;
  const Window point{Shape(axes, 1), Shape(axes, 1), Shape(axes, 1), Shape(axes, 0),
                     Shape(axes, 0)};
  if (op.expands) x = InferPart({point, 1}, x, inputs.subspan(1, 2));
  const int64_t channels = x.shape[1];
  Require(channels > 0, "no channels to filter");
  RequireShape(inputs[count - 3], {channels}, "the filters' bias");
  x = InferPart({op.window, channels}, x, inputs.subspan(count - 4, 2));
  return InferPart({point, 1}, x, inputs.subspan(count - 2, 2));
}

std::vector<TensorType> InferSplit(const Split& op, Inputs inputs) {
  RequireCount(inputs, 1, 1);
  RequireAxis(op.axis, inputs[0]);
  RequireAll(op.sizes, 0, "sizes");
  Require(!op.sizes.empty(), "splits into nothing");
  Require(std::accumulate(op.sizes.begin(), op.sizes.end(), int64_t{0}) == inputs[0].shape[op.axis],
          "sizes ", ShapeText(op.sizes), " of axis ", op.axis, " of ", TypeText(inputs[0]));
  std::vector<TensorType> outputs(op.sizes.size(), inputs[0]);
  for (size_t i = 0; i < outputs.size(); ++i) outputs[i].shape[op.axis] = op.sizes[i];
  return outputs;
}

// Also each extent, which an empty tensor's count would hide: later sums must stay within 64 bits.
void RequireModest(const TensorType& type, std::string_view what) {
  const std::optional<int64_t> count = CheckedElementCount(type.shape);
  const bool is_modest = std::all_of(type.shape.begin(), type.shape.end(),
                                     [](int64_t extent) { return extent <= kMostElements; });
  Require(count && *count <= kMostElements && is_modest, what, " ", TypeText(type),
          " of too many elements");
}

}  // namespace

std::vector<TensorType> InferTypes(const Op& op, std::span<const TensorType> inputs) {
  for (const TensorType& input : inputs) RequireModest(input, "an input");
  std::vector<TensorType> outputs;
  if (const auto* split = std::get_if<Split>(&op)) {
    outputs = InferSplit(*split, inputs);
  } else {
    outputs.push_back(std::visit(
        [&](const auto& alternative) -> TensorType {
          if constexpr (std::is_same_v<std::remove_cvref_t<decltype(alternative)>, Split>) {
            return {};
          } else {
            return Infer(alternative, inputs);
          }
        },
        op));
  }
  for (const TensorType& output : outputs) RequireModest(output, "a result");
  return outputs;
}

}  // namespace fettle
