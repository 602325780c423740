// Convolution as one matrix product of the filters and the input's windows, laid out one after
// another (Chellapilla, Puri & Simard, "High Performance Convolutional Neural Networks for Document
// Processing", 2006): im2col, [S * taps, pixels] of plain images, and im2row, [pixels, taps * S] of
// channels-last ones. The windows of one group of one image are the workspace.
#include <algorithm>

#include "fettle/primitives/openblas_conv.h"
#include "fettle/primitives/own_parallel.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

int64_t WindowElements(const ConvShape& shape) {
  return shape.group_inputs() * shape.taps() * shape.output_pixels();
}

Support SupportsWindows(const ConvShape& shape) {
  if (shape.is_pointwise()) {
    return Support::No("pointwise: openblas.pointwise_conv does the same without the copy");
  }
  if (WindowElements(shape) > INT32_MAX) {
    return Support::No("windows of more elements than OpenBLAS can count");
  }
  return Support::Yes();
}

// What tap (ky, kx) of every window reads from one channel of a plain image.
void CopyTap(const WindowPlane& plane, int64_t ky, int64_t kx, const float* x, float* column) {
  const int64_t first = plane.x.FirstOutput(kx), last = plane.x.LastOutput(kx);
  const int64_t first_row = plane.y.FirstOutput(ky), last_row = plane.y.LastOutput(ky);
  for (int64_t oy = 0; oy < plane.y.output; ++oy, column += plane.x.output) {
    if (oy < first_row || oy >= last_row || first >= last) {
      std::fill_n(column, plane.x.output, 0.0f);
      continue;
    }
    const float* from =
        x + (plane.y.Offset(ky) + oy * plane.y.stride) * plane.x.input + plane.x.Offset(kx);
    std::fill_n(column, first, 0.0f);
    if (plane.x.stride == 1) {
      std::copy(from + first, from + last, column + first);
    } else {
      for (int64_t ox = first; ox < last; ++ox) column[ox] = from[ox * plane.x.stride];
    }
    std::fill(column + last, column + plane.x.output, 0.0f);
  }
}

class Im2colKernel final : public OpenblasConvKernel {
 public:
  using OpenblasConvKernel::OpenblasConvKernel;

  size_t WorkspaceBytes() const override {
    return static_cast<size_t>(WindowElements(shape())) * sizeof(float);
  }

 private:
  void Convolve(const float* x, float* y, float* workspace) const override {
    const int64_t inner = shape().group_inputs() * shape().taps();
    for (int64_t group = 0; group < shape().groups; ++group) {
      CopyWindows(x + group * shape().group_inputs() * shape().input_pixels(), workspace);
      Multiply(group, weights_.data() + group * shape().group_outputs() * inner, inner, workspace,
               shape().output_pixels(), y);
    }
  }

  void CopyWindows(const float* x, float* columns) const {
    const WindowPlane& plane = shape().plane;
    const int64_t taps = shape().taps(), pixels = shape().output_pixels();
    ParallelFor(target(), shape().group_inputs() * taps, pixels,
                [&](int64_t begin, int64_t end, int64_t) {
                  for (int64_t row = begin; row < end; ++row) {
                    const int64_t tap = row % taps;
                    CopyTap(plane, tap / plane.x.kernel, tap % plane.x.kernel,
                            x + row / taps * shape().input_pixels(), columns + row * pixels);
                  }
                });
  }
};

class Im2rowKernel final : public OpenblasConvKernel {
 public:
  Im2rowKernel(const LayerSpec& spec, Layout layout, const Target& target,
               std::span<const Tensor* const> weights)
      : OpenblasConvKernel(spec, layout, target, weights) {
    weights_ = TapsFirst(shape(), weights_);
  }

  size_t WorkspaceBytes() const override {
    return static_cast<size_t>(WindowElements(shape())) * sizeof(float);
  }

 private:
  void Convolve(const float* x, float* y, float* workspace) const override {
    const int64_t inner = shape().group_inputs() * shape().taps();
    for (int64_t group = 0; group < shape().groups; ++group) {
      CopyWindows(x + group * shape().group_inputs(), workspace);
      Multiply(group, weights_.data() + group * shape().group_outputs() * inner, inner, workspace,
               inner, y);
    }
  }

  void CopyWindows(const float* x, float* rows) const {
    const int64_t row_elements = shape().group_inputs() * shape().taps();
    ParallelFor(target(), shape().output_pixels(), row_elements,
                [&](int64_t begin, int64_t end, int64_t) {
                  for (int64_t pixel = begin; pixel < end; ++pixel) {
                    CopyWindow(x, pixel, rows + pixel * row_elements);
                  }
                });
  }

  void CopyWindow(const float* x, int64_t pixel, float* to) const {
    const WindowPlane& plane = shape().plane;
    const int64_t oy = pixel / plane.x.output, ox = pixel % plane.x.output;
    for (int64_t ky = 0; ky < plane.y.kernel; ++ky) {
      for (int64_t kx = 0; kx < plane.x.kernel; ++kx, to += shape().group_inputs()) {
        CopyPixel(x, oy * plane.y.stride + plane.y.Offset(ky),
                  ox * plane.x.stride + plane.x.Offset(kx), to);
      }
    }
  }

  void CopyPixel(const float* x, int64_t iy, int64_t ix, float* to) const {
    const WindowPlane& plane = shape().plane;
    if (iy < 0 || iy >= plane.y.input || ix < 0 || ix >= plane.x.input) {
      std::fill_n(to, shape().group_inputs(), 0.0f);
    } else {
      std::copy_n(x + (iy * plane.x.input + ix) * shape().in_channels, shape().group_inputs(), to);
    }
  }
};

template <typename WindowKernel>
class WindowConv final : public OpenblasConv {
 public:
  WindowConv(std::string_view name, Layout layout) : name_(name), layout_(layout) {}

  std::string_view Name() const override { return name_; }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return std::make_unique<WindowKernel>(spec, implementation.output, target, weights);
  }

 protected:
  Support SupportsShape(const ConvShape& shape) const override { return SupportsWindows(shape); }
  std::vector<Layout> Layouts() const override { return {layout_}; }

 private:
  std::string_view name_;
  Layout layout_;
};

}  // namespace

std::unique_ptr<Primitive> MakeOpenblasIm2colConv() {
  return std::make_unique<WindowConv<Im2colKernel>>("openblas.im2col_conv", Layout::kPlain);
}

std::unique_ptr<Primitive> MakeOpenblasIm2rowConv() {
  return std::make_unique<WindowConv<Im2rowKernel>>("openblas.im2row_conv", Layout::kChannelsLast);
}

}  // namespace fettle
