#include <algorithm>
#include <cmath>
#include <limits>

#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/reference_operators.h"

namespace fettle {
namespace {

// One window: the largest or mean of what it covers. A window that covers nothing of the input has
// the maximum -inf and the mean 0.
double PoolWindow(const Pool& op, const WindowPlane& plane, const float* x, int64_t oy,
                  int64_t ox) {
  double largest = -std::numeric_limits<double>::infinity(), sum = 0;
  int64_t inside = 0, counted = 0;
  for (int64_t ky = 0; ky < plane.y.kernel; ++ky) {
    const int64_t iy = oy * plane.y.stride + plane.y.Offset(ky);
    if (iy >= plane.y.input + plane.y.pad_end) continue;  // overhang
    for (int64_t kx = 0; kx < plane.x.kernel; ++kx) {
      const int64_t ix = ox * plane.x.stride + plane.x.Offset(kx);
      if (ix >= plane.x.input + plane.x.pad_end) continue;
      ++counted;
      if (iy < 0 || iy >= plane.y.input || ix < 0 || ix >= plane.x.input) continue;
      ++inside;
      const double value = x[iy * plane.x.input + ix];
      largest = std::max(largest, value);
      sum += value;
    }
  }
  if (op.kind == PoolKind::kMax) return largest;
  const int64_t divisor = op.count_include_pad ? counted : inside;
  return divisor == 0 ? 0 : sum / static_cast<double>(divisor);
}

}  // namespace

void ReferenceCompute(const Pool& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const WindowPlane plane = PlaneOf(op.window, operands[0].shape, shape);
#pragma omp parallel for schedule( \
    static) if (IsWorthThreads(shape, plane.y.kernel * plane.x.kernel))
  for (int64_t i = 0; i < shape[0] * shape[1]; ++i) {
    const float* x = operands[0].values.data() + i * plane.y.input * plane.x.input;
    double* to = y.data() + i * plane.y.output * plane.x.output;
    for (int64_t oy = 0; oy < plane.y.output; ++oy) {
      for (int64_t ox = 0; ox < plane.x.output; ++ox) *to++ = PoolWindow(op, plane, x, oy, ox);
    }
  }
}

void ReferenceCompute(const GlobalAveragePool&, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const Shape& x = operands[0].shape;
  const int64_t plane = Volume(x, 2, x.size());
  for (int64_t i = 0; i < ElementCount(shape); ++i) {
    double sum = 0;
    for (int64_t k = 0; k < plane; ++k) sum += operands[0].values[i * plane + k];
    y[i] = sum / static_cast<double>(plane);
  }
}

void ReferenceCompute(const ReduceMean& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  // Where each of the input's elements is summed: the reduced axes have stride 0 in the output.
  const Shape& x = operands[0].shape;
  std::vector<int64_t> strides(x.size(), 0);
  int64_t stride = 1, count = 1;
  for (size_t axis = x.size(); axis-- > 0;) {
    if (std::binary_search(op.axes.begin(), op.axes.end(), static_cast<int64_t>(axis))) {
      count *= x[axis];
    } else {
      strides[axis] = stride;
      stride *= x[axis];
    }
  }
  std::fill(y.begin(), y.end(), 0.0);
  for (int64_t i = 0; i < ElementCount(x); ++i) {
    int64_t rest = i, offset = 0;
    for (size_t axis = x.size(); axis-- > 0; rest /= x[axis]) {
      offset += rest % x[axis] * strides[axis];
    }
    y[offset] += operands[0].values[i];
  }
  for (int64_t i = 0; i < ElementCount(shape); ++i) y[i] /= static_cast<double>(count);
}

void ReferenceCompute(const Lrn& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const int64_t channels = shape[1], plane = Volume(shape, 2, shape.size());
  const int64_t before = (op.size - 1) / 2, behind = op.size - 1 - before;
#pragma omp parallel for schedule(static) if (IsWorthThreads(shape, op.size))
  for (int64_t i = 0; i < shape[0] * channels; ++i) {
    const int64_t c = i % channels;
    const int64_t first = std::max<int64_t>(c - before, 0);
    const int64_t last = std::min(c + behind, channels - 1);
    for (int64_t k = 0; k < plane; ++k) {
      const float* x = operands[0].values.data() + (i - c) * plane + k;
      double squares = 0;
      for (int64_t j = first; j <= last; ++j) squares += double{x[j * plane]} * x[j * plane];
      const double scale = op.bias + double{op.alpha} / static_cast<double>(op.size) * squares;
      y[i * plane + k] = x[c * plane] / std::pow(scale, double{op.beta});
    }
  }
}

}  // namespace fettle
