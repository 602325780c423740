#include "fettle/primitives/reference_operators.h"
#include "fettle/primitives/resize_coordinates.h"

namespace fettle {
namespace {

// The weighted sum of the up to 2^rank elements around one output, axis by axis.
double Interpolate(std::span<const ResizeTap> taps, std::span<const int64_t> strides,
                   const float* x) {
  if (taps.empty()) return *x;
  const ResizeTap& tap = taps[0];
  double value = 0;
  if (tap.weight < 1) {
    value = (1 - double{tap.weight}) *
            Interpolate(taps.subspan(1), strides.subspan(1), x + tap.low * strides[0]);
  }
  if (tap.weight > 0) {
    value += double{tap.weight} *
             Interpolate(taps.subspan(1), strides.subspan(1), x + tap.high * strides[0]);
  }
  return value;
}

}  // namespace

void ReferenceCompute(const Resize& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const size_t rank = shape.size();
  std::vector<std::vector<ResizeTap>> taps(rank);
  for (size_t axis = 0; axis < rank; ++axis) {
    taps[axis] = ResizeTaps(op, axis, operands[0].shape[axis]);
  }
  const std::vector<int64_t> strides = RowMajorStrides(operands[0].shape);
#pragma omp parallel for schedule(static) if (IsWorthThreads(shape, 16))
  for (int64_t i = 0; i < ElementCount(shape); ++i) {
    std::vector<ResizeTap> at(rank);
    int64_t rest = i;
    for (size_t axis = rank; axis-- > 0; rest /= shape[axis]) {
      at[axis] = taps[axis][static_cast<size_t>(rest % shape[axis])];
    }
    y[i] = Interpolate(at, strides, operands[0].values.data());
  }
}

}  // namespace fettle
