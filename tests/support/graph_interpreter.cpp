#include "tests/support/graph_interpreter.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <stdexcept>
#include <variant>

#include "fettle/core/dtype.h"
#include "tests/support/values_in_double.h"

namespace fettle {
namespace {

using Index = std::vector<int64_t>;

// Calls f(index) for each index of the shape, in row-major order.
void ForEach(const Shape& shape, const std::function<void(const Index&)>& f) {
  Index index(shape.size(), 0);
  for (int64_t left = ElementCount(shape); left > 0; --left) {
    f(index);
    for (size_t axis = shape.size(); axis-- > 0;) {
      if (++index[axis] < shape[axis]) break;
      index[axis] = 0;
    }
  }
}

int64_t Offset(const Shape& shape, const Index& index) {
  int64_t offset = 0;
  for (size_t axis = 0; axis < shape.size(); ++axis) offset = offset * shape[axis] + index[axis];
  return offset;
}

double At(const Array& array, const Index& index) {
  return array.values[Offset(array.shape, index)];
}

// NumPy's broadcasting: the operand's element for an index of the result.
double BroadcastAt(const Array& array, const Index& index) {
  const size_t missing = index.size() - array.shape.size();
  Index own(array.shape.size());
  for (size_t i = 0; i < own.size(); ++i) own[i] = array.shape[i] == 1 ? 0 : index[missing + i];
  return At(array, own);
}

// The array of this shape with f(index) at each index.
Array Make(const Shape& shape, const std::function<double(const Index&)>& f) {
  Array array{shape, {}};
  array.values.reserve(static_cast<size_t>(ElementCount(shape)));
  ForEach(shape, [&](const Index& index) { array.values.push_back(f(index)); });
  return array;
}

double Activate(const Activation& op, double x) {
  switch (op.kind) {
    case ActivationKind::kRelu:
      return x > 0 ? x : 0;
    case ActivationKind::kClip:
      return std::min<double>(std::max<double>(x, op.alpha), op.beta);
    case ActivationKind::kLeakyRelu:
      return x >= 0 ? x : op.alpha * x;
    case ActivationKind::kSigmoid:
      return 1 / (1 + std::exp(-x));
    case ActivationKind::kHardSigmoid:
      return std::max(0.0, std::min(1.0, op.alpha * x + op.beta));
    case ActivationKind::kHardSwish:
      return x * std::max(0.0, std::min(1.0, x / 6 + 0.5));
    case ActivationKind::kTanh:
      return std::tanh(x);
  }
  throw std::invalid_argument("no such activation");
}

double Combine(BinaryKind kind, double a, double b) {
  switch (kind) {
    case BinaryKind::kAdd:
      return a + b;
    case BinaryKind::kSub:
      return a - b;
    case BinaryKind::kMul:
      return a * b;
    case BinaryKind::kDiv:
      return a / b;
  }
  throw std::invalid_argument("no such binary operator");
}

// What a value becomes in an element type.
double Converted(double x, DType dtype) {
  const auto saturated = [&](double low, double high) {
    return std::isnan(x) ? 0 : std::clamp(std::trunc(x), low, high);
  };
  switch (dtype) {
    case DType::kF64:
      return x;
    case DType::kF32:
      return static_cast<float>(x);
    case DType::kBF16:
      return FromBF16(ToBF16(static_cast<float>(x)));
    case DType::kI8:
      return saturated(-128, 127);
    case DType::kU8:
      return saturated(0, 255);
    case DType::kI16:
      return saturated(-32768, 32767);
    case DType::kI32:
      return saturated(std::numeric_limits<int32_t>::min(), std::numeric_limits<int32_t>::max());
    case DType::kI64:
      return saturated(-9007199254740992.0, 9007199254740992.0);  // what a double can count
    case DType::kBool:
      return x != 0 ? 1 : 0;
    case DType::kF16:
      break;
  }
  throw std::invalid_argument("f16 is not understood");
}

// The places that a window covers for `output`, an index [n, c, ...]: f(place in the input) for
// each of them inside the input, or inside the padded input where the padding counts.
void ForEachTap(const Window& window, const Index& output, const Shape& input, bool is_pad_counted,
                const std::function<void(const Index&)>& f) {
  ForEach(window.kernel, [&](const Index& tap) {
    Index place(output.begin() + 2, output.end());
    for (size_t i = 0; i < place.size(); ++i) {
      place[i] = place[i] * window.strides[i] + tap[i] * window.dilations[i] - window.pads_begin[i];
      const int64_t low = is_pad_counted ? -window.pads_begin[i] : 0;
      const int64_t high = input[i + 2] + (is_pad_counted ? window.pads_end[i] : 0);
      if (place[i] < low || place[i] >= high) return;
    }
    f(place);
  });
}

class NodeRun {
 public:
  NodeRun(const Graph& graph, const Node& node, const std::map<ValueId, Array>& arrays)
      : graph_(graph), node_(node), arrays_(arrays) {}

  std::vector<Array> Run() {
    if (const auto* split = std::get_if<Split>(&node_.op)) return Halves(*split);
    return {std::visit([&](const auto& op) { return Of(op); }, node_.op)};
  }

 private:
  const Array& X(size_t i = 0) const { return arrays_.at(node_.inputs[i]); }
  size_t Count() const { return node_.inputs.size(); }
  Shape Result(size_t i = 0) const { return graph_.value(node_.outputs[i]).type.shape; }

  template <typename F>
  Array Map(const F& f) const {
    Array y = X();
    for (double& value : y.values) value = f(value);
    return y;
  }

  // The operator that takes the time, so with offsets in place of indices; an axis of extent 1 is
  // put in front of a lone spatial axis.
  Array Of(const Conv& op) const {
    const auto pair = [](const std::vector<int64_t>& list, int64_t first) {
      return std::array<int64_t, 2>{list.size() > 1 ? list[list.size() - 2] : first, list.back()};
    };
    const auto plane = [&](const Shape& shape) {
      return pair({shape.begin() + 2, shape.end()}, 1);
    };
    const Array &x = X(0), &w = X(1);
    Array y{Result(), {}};
    const auto in = plane(x.shape), out = plane(y.shape), kernel = plane(w.shape);
    const auto stride = pair(op.window.strides, 1), dilation = pair(op.window.dilations, 1);
    const auto pad = pair(op.window.pads_begin, 0);
    const int64_t depth = w.shape[1], per_group = w.shape[0] / op.groups;
    ForEach({y.shape[0], y.shape[1], out[0], out[1]}, [&](const Index& at) {
      double sum = Count() > 2 ? X(2).values[at[1]] : 0;
      const double* filter = w.values.data() + at[1] * depth * kernel[0] * kernel[1];
      const int64_t first = at[0] * x.shape[1] + at[1] / per_group * depth;
      for (int64_t s = first; s < first + depth; ++s) {
        for (int64_t i = 0; i < kernel[0]; ++i) {
          for (int64_t j = 0; j < kernel[1]; ++j, ++filter) {
            const int64_t row = at[2] * stride[0] + i * dilation[0] - pad[0];
            const int64_t column = at[3] * stride[1] + j * dilation[1] - pad[1];
            if (row < 0 || row >= in[0] || column < 0 || column >= in[1]) continue;
            sum += *filter * x.values[(s * in[0] + row) * in[1] + column];
          }
        }
      }
      y.values.push_back(sum);
    });
    return y;
  }

  Array Of(const BatchNorm& op) const {
    return Make(Result(), [&](const Index& y) {
      const int64_t c = y[1];
      const double deviation = std::sqrt(X(4).values[c] + static_cast<double>(op.epsilon));
      return (At(X(), y) - X(3).values[c]) / deviation * X(1).values[c] + X(2).values[c];
    });
  }

  Array Of(const Gemm& op) const {
    const Array &a = X(0), &b = X(1);
    const int64_t depth = a.shape[op.transpose_a ? 0 : 1];
    return Make(Result(), [&](const Index& y) {
      double sum = 0;
      for (int64_t k = 0; k < depth; ++k) {
        sum += At(a, op.transpose_a ? Index{k, y[0]} : Index{y[0], k}) *
               At(b, op.transpose_b ? Index{y[1], k} : Index{k, y[1]});
      }
      sum *= op.alpha;
      return Count() > 2 ? sum + op.beta * BroadcastAt(X(2), y) : sum;
    });
  }

  Array Of(const MatMul&) const {
    Array a = X(0), b = X(1);
    const bool is_row = a.shape.size() == 1, is_column = b.shape.size() == 1;
    if (is_row) a.shape.insert(a.shape.begin(), 1);
    if (is_column) b.shape.push_back(1);
    Shape full = Result();  // with the rows and columns that vectors leave out
    if (is_row) full.insert(full.end() - (is_column ? 0 : 1), 1);
    if (is_column) full.push_back(1);
    const int64_t depth = a.shape.back();
    Array y = Make(full, [&](const Index& index) {
      double sum = 0;
      for (int64_t k = 0; k < depth; ++k) {
        Index left = index, right = index;
        left.back() = k;
        right[right.size() - 2] = k;
        sum += BroadcastAt(a, left) * BroadcastAt(b, right);
      }
      return sum;
    });
    y.shape = Result();
    return y;
  }

  Array Of(const Activation& op) const {
    return Map([&](double x) { return Activate(op, x); });
  }

  // Reduces over the axes: f gets the elements whose other indices are those of `index`.
  void Over(const std::vector<int64_t>& axes, const Index& index,
            const std::function<void(double)>& f) const {
    Shape extents;
    extents.reserve(axes.size());
    for (int64_t axis : axes) extents.push_back(X().shape[axis]);
    ForEach(extents, [&](const Index& inner) {
      Index place = index;
      for (size_t i = 0; i < axes.size(); ++i) place[axes[i]] = inner[i];
      f(At(X(), place));
    });
  }

  Array Of(const Softmax& op) const {
    return Make(Result(), [&](const Index& y) {
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      Over({op.axis}, y, [&](double x) { top = std::max(top, x); });
      Over({op.axis}, y, [&](double x) { sum += std::exp(x - top); });
      return std::exp(At(X(), y) - top) / sum;
    });
  }

  Array Mean(const std::vector<int64_t>& axes, const Shape& kept) const {
    Array y = Make(kept, [&](const Index& index) {
      double sum = 0;
      int64_t count = 0;
      Over(axes, index, [&](double x) {
        sum += x;
        ++count;
      });
      return sum / static_cast<double>(count);
    });
    y.shape = Result();
    return y;
  }

  Array Of(const GlobalAveragePool&) const {
    std::vector<int64_t> axes(X().shape.size() - 2);
    std::iota(axes.begin(), axes.end(), 2);
    return Mean(axes, Result());
  }

  Array Of(const ReduceMean& op) const {
    Shape kept = X().shape;
    for (int64_t axis : op.axes) kept[axis] = 1;
    return Mean(op.axes, kept);
  }

  Array Of(const Pool& op) const {
    const bool is_max = op.kind == PoolKind::kMax;
    return Make(Result(), [&](const Index& y) {
      double top = -std::numeric_limits<double>::infinity(), sum = 0;
      int64_t count = 0;
      ForEachTap(op.window, y, X().shape, false, [&](const Index& place) {
        Index from = {y[0], y[1]};
        from.insert(from.end(), place.begin(), place.end());
        top = std::max(top, At(X(), from));
        sum += At(X(), from);
        ++count;
      });
      if (op.count_include_pad) {
        count = 0;
        ForEachTap(op.window, y, X().shape, true, [&](const Index&) { ++count; });
      }
      return is_max ? top : sum / static_cast<double>(count);
    });
  }

  Array Of(const Binary& op) const {
    return Make(Result(), [&](const Index& y) {
      return Combine(op.kind, BroadcastAt(X(0), y), BroadcastAt(X(1), y));
    });
  }

  Array Of(const Sum&) const {
    return Make(Result(), [&](const Index& y) {
      double sum = 0;
      for (size_t i = 0; i < Count(); ++i) sum += BroadcastAt(X(i), y);
      return sum;
    });
  }

  Array Of(const Concat& op) const {
    return Make(Result(), [&](Index y) {
      size_t i = 0;
      for (; y[op.axis] >= X(i).shape[op.axis]; ++i) y[op.axis] -= X(i).shape[op.axis];
      return At(X(i), y);
    });
  }

  std::vector<Array> Halves(const Split& op) const {
    std::vector<Array> parts;
    int64_t first = 0;
    for (size_t i = 0; i < op.sizes.size(); ++i) {
      parts.push_back(Make(Result(i), [&](Index y) {
        y[op.axis] += first;
        return At(X(), y);
      }));
      first += op.sizes[i];
    }
    return parts;
  }

  Array Of(const Slice& op) const {
    return Make(Result(), [&](Index y) {
      for (size_t i = 0; i < y.size(); ++i) y[i] = op.starts[i] + y[i] * op.steps[i];
      return At(X(), y);
    });
  }

  Array Of(const Reshape& op) const { return {op.shape, X().values}; }

  Array Of(const Transpose& op) const {
    return Make(Result(), [&](const Index& y) {
      Index x(y.size());
      for (size_t i = 0; i < y.size(); ++i) x[op.permutation[i]] = y[i];
      return At(X(), x);
    });
  }

  Array Of(const Pad& op) const {
    return Make(Result(), [&](Index y) {
      for (size_t i = 0; i < y.size(); ++i) {
        y[i] -= op.begin[i];
        const int64_t last = X().shape[i] - 1;
        if (y[i] >= 0 && y[i] <= last) continue;
        if (op.mode == PadMode::kConstant) return static_cast<double>(op.value);
        const int64_t mirrored = y[i] < 0 ? -y[i] : 2 * last - y[i];
        y[i] = op.mode == PadMode::kReflect ? mirrored : std::clamp<int64_t>(y[i], 0, last);
      }
      return At(X(), y);
    });
  }

  // Where in the input an index of the output lies.
  double Coordinate(const Resize& op, size_t axis, int64_t index) const {
    const auto input = static_cast<double>(X().shape[axis]);
    const auto output = static_cast<double>(op.sizes[axis]);
    const auto i = static_cast<double>(index);
    const double scale = op.scales[axis];
    switch (op.coordinates) {
      case ResizeCoordinates::kHalfPixel:
        return (i + 0.5) / scale - 0.5;
      case ResizeCoordinates::kPytorchHalfPixel:
        return output > 1 ? (i + 0.5) / scale - 0.5 : 0;
      case ResizeCoordinates::kAlignCorners:
        return output > 1 ? i * (input - 1) / (output - 1) : 0;
      case ResizeCoordinates::kAsymmetric:
        return i / scale;
    }
    throw std::invalid_argument("no such coordinates");
  }

  static double Rounded(NearestRounding rounding, double x) {
    switch (rounding) {
      case NearestRounding::kRoundPreferFloor:
        return std::ceil(x - 0.5);
      case NearestRounding::kRoundPreferCeil:
        return std::floor(x + 0.5);
      case NearestRounding::kFloor:
        return std::floor(x);
      case NearestRounding::kCeil:
        return std::ceil(x);
    }
    throw std::invalid_argument("no such rounding");
  }

  Array Of(const Resize& op) const {
    const size_t rank = op.sizes.size();
    const auto clamped = [&](double x, size_t axis) {
      return std::clamp<int64_t>(static_cast<int64_t>(x), 0, X().shape[axis] - 1);
    };
    return Make(Result(), [&](const Index& y) {
      if (op.mode == ResizeMode::kNearest) {
        Index x(rank);
        for (size_t i = 0; i < rank; ++i) {
          x[i] = clamped(Rounded(op.rounding, Coordinate(op, i, y[i])), i);
        }
        return At(X(), x);
      }
      double sum = 0;  // over the corners of the cell that holds the place
      ForEach(Shape(rank, 2), [&](const Index& corner) {
        double weight = 1;
        Index x(rank);
        for (size_t i = 0; i < rank; ++i) {
          const double place = Coordinate(op, i, y[i]), low = std::floor(place);
          x[i] = clamped(low + static_cast<double>(corner[i]), i);
          weight *= corner[i] == 1 ? place - low : 1 - (place - low);
        }
        if (weight != 0) sum += weight * At(X(), x);
      });
      return sum;
    });
  }

  Array Of(const Lrn& op) const {
    return Make(Result(), [&](Index y) {
      const double x = At(X(), y);
      const int64_t c = y[1], before = (op.size - 1) / 2, after = op.size / 2;
      double squares = 0;
      for (y[1] = std::max<int64_t>(0, c - before); y[1] <= std::min(c + after, X().shape[1] - 1);
           ++y[1]) {
        squares += At(X(), y) * At(X(), y);
      }
      return x / std::pow(op.bias + op.alpha / static_cast<double>(op.size) * squares, op.beta);
    });
  }

  Array Of(const Cast& op) const {
    return Map([&](double x) { return Converted(x, op.dtype); });
  }
  Array Of(const Identity&) const { return X(); }

  template <typename T>
  Array Of(const T&) const {
    throw std::invalid_argument("an operator of lowered layers only");
  }

  const Graph& graph_;
  const Node& node_;
  const std::map<ValueId, Array>& arrays_;
};

}  // namespace

Array ToArray(const Tensor& tensor) { return {tensor.shape(), ValuesInDouble(tensor)}; }

std::map<ValueId, Array> InterpretAll(const Graph& graph, std::span<const Array> inputs) {
  if (inputs.size() != graph.inputs().size()) throw std::invalid_argument("wrong count of inputs");
  std::map<ValueId, Array> arrays;
  for (size_t i = 0; i < inputs.size(); ++i) {
    const Shape& shape = graph.value(graph.inputs()[i]).type.shape;
    const auto elements = static_cast<size_t>(ElementCount(shape));
    if (inputs[i].shape != shape || inputs[i].values.size() != elements) {
      throw std::invalid_argument("an input of the wrong shape");
    }
    arrays[graph.inputs()[i]] = inputs[i];
  }
  for (size_t id = 0; id < graph.num_values(); ++id) {
    const Value& value = graph.value(static_cast<ValueId>(id));
    if (value.constant != nullptr) arrays[static_cast<ValueId>(id)] = ToArray(*value.constant);
  }
  for (const Node& node : graph.nodes()) {
    std::vector<Array> results = NodeRun(graph, node, arrays).Run();
    for (size_t i = 0; i < results.size(); ++i) arrays[node.outputs[i]] = std::move(results[i]);
  }
  return arrays;
}

std::vector<Array> Interpret(const Graph& graph, std::span<const Array> inputs) {
  const std::map<ValueId, Array> arrays = InterpretAll(graph, inputs);
  std::vector<Array> outputs;
  outputs.reserve(graph.outputs().size());
  for (ValueId id : graph.outputs()) outputs.push_back(arrays.at(id));
  return outputs;
}

}  // namespace fettle
