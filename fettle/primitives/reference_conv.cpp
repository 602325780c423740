#include "fettle/core/scalar_operators.h"
#include "fettle/primitives/layer_view.h"
#include "fettle/primitives/reference_operators.h"

namespace fettle {
namespace {

// y += w * x for the filter of one input channel; x and y are planes.
template <typename T>
void AccumulatePlane(const WindowPlane& plane, const T* x, const float* w, double* y) {
  for (int64_t ky = 0; ky < plane.y.kernel; ++ky) {
    for (int64_t kx = 0; kx < plane.x.kernel; ++kx, ++w) {
      const double weight = *w;
      const int64_t first = plane.x.FirstOutput(kx), last = plane.x.LastOutput(kx);
      for (int64_t oy = plane.y.FirstOutput(ky); oy < plane.y.LastOutput(ky); ++oy) {
        const T* from =
            x + (plane.y.Offset(ky) + oy * plane.y.stride) * plane.x.input + plane.x.Offset(kx);
        double* to = y + oy * plane.x.output;
        for (int64_t ox = first; ox < last; ++ox) {
          to[ox] += weight * static_cast<double>(from[ox * plane.x.stride]);
        }
      }
    }
  }
}

// to = bias + the channels of an image times one filter of a pointwise convolution.
template <typename T>
void MixPlanes(const T* x, int64_t channels, int64_t pixels, const float* w, float bias,
               double* to) {
  std::fill_n(to, pixels, static_cast<double>(bias));
  for (int64_t s = 0; s < channels; ++s) {
    for (int64_t p = 0; p < pixels; ++p) to[p] += double{w[s]} * static_cast<double>(*x++);
  }
}

void ActivatePlane(const std::optional<Activation>& op, int64_t pixels, double* values) {
  if (!op) return;
  for (int64_t p = 0; p < pixels; ++p) values[p] = Apply(*op, values[p]);
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

void ReferenceCompute(const InvertedResidual& op, FloatOperands operands, const Shape& shape,
                      std::span<double> y) {
  const FloatOperand& x = operands[0];
  const FloatOperands last = operands.last(4);
  const WindowPlane plane = PlaneOf(op.window, x.shape, shape);
  const int64_t inputs = x.shape[1], channels = last[0].shape[0], outputs = shape[1];
  const int64_t x_plane = plane.y.input * plane.x.input, y_plane = plane.y.output * plane.x.output;
  const int64_t taps = plane.y.kernel * plane.x.kernel;
  std::vector<double> filtered(static_cast<size_t>(channels * y_plane));
  for (int64_t n = 0; n < shape[0]; ++n) {
    const float* image = x.values.data() + n * inputs * x_plane;
#pragma omp parallel for schedule(static) if (IsWorthThreads(shape, channels))
    for (int64_t e = 0; e < channels; ++e) {
      std::vector<double> expanded(static_cast<size_t>(x_plane));
      if (op.expands) {
        MixPlanes(image, inputs, x_plane, operands[1].values.data() + e * inputs,
                  operands[2].values[e], expanded.data());
        ActivatePlane(op.expanded, x_plane, expanded.data());
      } else {
        std::copy_n(image + e * x_plane, x_plane, expanded.begin());
      }
      double* to = filtered.data() + e * y_plane;
      std::fill_n(to, y_plane, static_cast<double>(last[1].values[e]));
      AccumulatePlane(plane, expanded.data(), last[0].values.data() + e * taps, to);
      ActivatePlane(op.filtered, y_plane, to);
    }
#pragma omp parallel for schedule(static) if (IsWorthThreads(shape, channels))
    for (int64_t t = 0; t < outputs; ++t) {
      MixPlanes(filtered.data(), channels, y_plane, last[2].values.data() + t * channels,
                last[3].values[t], y.data() + (n * outputs + t) * y_plane);
    }
  }
}

}  // namespace fettle
