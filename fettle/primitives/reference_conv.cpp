#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/reference_operators.h"

namespace fettle {
namespace {

// y += w * x for the filter of one input channel; x and y are planes.
void AccumulatePlane(const WindowPlane& plane, const float* x, const float* w, double* y) {
  for (int64_t ky = 0; ky < plane.y.kernel; ++ky) {
    for (int64_t kx = 0; kx < plane.x.kernel; ++kx, ++w) {
      const double weight = *w;
      const int64_t first = plane.x.FirstOutput(kx), last = plane.x.LastOutput(kx);
      for (int64_t oy = plane.y.FirstOutput(ky); oy < plane.y.LastOutput(ky); ++oy) {
        const float* from =
            x + (plane.y.Offset(ky) + oy * plane.y.stride) * plane.x.input + plane.x.Offset(kx);
        double* to = y + oy * plane.x.output;
        for (int64_t ox = first; ox < last; ++ox) to[ox] += weight * from[ox * plane.x.stride];
      }
    }
  }
}

}  // namespace

void ReferenceCompute(const Conv& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const FloatOperand& x = operands[0];
  const FloatOperand& w = operands[1];
  const WindowPlane plane = PlaneOf(op.window, x.shape, shape);
  const int64_t inputs = w.shape[1];  // a group
  const int64_t outputs = shape[1] / op.groups;
  const int64_t x_plane = plane.y.input * plane.x.input, y_plane = plane.y.output * plane.x.output;
  const int64_t filter = plane.y.kernel * plane.x.kernel;
#pragma omp parallel for schedule(static) if (IsWorthThreads(shape, inputs * filter))
  for (int64_t i = 0; i < shape[0] * shape[1]; ++i) {
    const int64_t n = i / shape[1], t = i % shape[1];
    double* to = y.data() + i * y_plane;
    std::fill_n(to, y_plane, operands.size() > 2 ? operands[2].values[t] : 0.0);
    const float* from = x.values.data() + (n * x.shape[1] + t / outputs * inputs) * x_plane;
    for (int64_t s = 0; s < inputs; ++s) {
      AccumulatePlane(plane, from + s * x_plane, w.values.data() + (t * inputs + s) * filter, to);
    }
  }
}

}  // namespace fettle
