// Convolution as a sum of pointwise ones, a tap each, on a shifted image (kn2row: Vasudevan,
// Anderson & Gregg, "Parallel Multi Channel Convolution using General Matrix Multiplication",
// 2017). The image is padded first; then a shift is no more than another start, and every product
// is added to the same rows, as wide as the padded image, of which the first OW of each are kept.
// The padded image and these rows are the workspace, both far smaller than im2col's windows.
#include <algorithm>

#include "fettle/primitives/openblas_conv.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

constexpr int64_t kAlignment = 64 / sizeof(float);

class Kn2rowKernel final : public OpenblasConvKernel {
 public:
  Kn2rowKernel(const LayerSpec& spec, Layout layout, const Target& target,
               std::span<const Tensor* const> weights)
      : OpenblasConvKernel(spec, layout, target, weights),
        height_(shape().plane.y.input + shape().plane.y.pad_begin + shape().plane.y.pad_end),
        width_(shape().plane.x.input + shape().plane.x.pad_begin + shape().plane.x.pad_end),
        padded_elements_((shape().in_channels * height_ * width_ + kAlignment - 1) / kAlignment *
                         kAlignment),
        wide_pixels_((shape().plane.y.output - 1) * width_ + shape().plane.x.output) {
    PackTaps();
  }

  size_t WorkspaceBytes() const override {
    const int64_t wide = shape().out_channels * wide_pixels_;
    return static_cast<size_t>(padded_elements_ + wide) * sizeof(float);
  }

 private:
  // [T, S/groups, taps] as [taps, T, S/groups].
  void PackTaps() {
    const int64_t inputs = shape().group_inputs(), taps = shape().taps();
    const std::vector<float> given = std::move(weights_);
    weights_.resize(given.size());
    for (int64_t row = 0; row < shape().out_channels * inputs; ++row) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        weights_[tap * shape().out_channels * inputs + row] = given[row * taps + tap];
      }
    }
  }

  void Convolve(const float* x, float* y, float* workspace) const override {
    float* wide = workspace + padded_elements_;
    PadImage(x, workspace);
    const WindowPlane& plane = shape().plane;
    for (int64_t tap = 0; tap < shape().taps(); ++tap) {
      const int64_t start = tap / plane.x.kernel * plane.y.dilation * width_ +
                            tap % plane.x.kernel * plane.x.dilation;
      for (int64_t group = 0; group < shape().groups; ++group) {
        MultiplyTap(tap, group, start, workspace, wide);
      }
    }
    KeepPixels(wide, y);
  }

  void PadImage(const float* x, float* padded) const {
    const WindowPlane& plane = shape().plane;
    const bool is_plain = layout() == Layout::kPlain;
    const int64_t images = is_plain ? shape().in_channels : 1;
    const int64_t element = is_plain ? 1 : shape().in_channels;  // floats a pixel
    std::fill_n(padded, shape().in_channels * height_ * width_, 0.0f);
    for (int64_t row = 0; row < images * plane.y.input; ++row) {
      const int64_t image = row / plane.y.input, iy = row % plane.y.input;
      const int64_t to = (image * height_ + iy + plane.y.pad_begin) * width_ + plane.x.pad_begin;
      std::copy_n(x + row * plane.x.input * element, plane.x.input * element,
                  padded + to * element);
    }
  }

  // wide [T, wide_pixels_] of plain images, [wide_pixels_, T] of channels-last ones.
  void MultiplyTap(int64_t tap, int64_t group, int64_t start, const float* padded,
                   float* wide) const {
    const int64_t inputs = shape().group_inputs(), outputs = shape().group_outputs();
    const float* filters =
        weights_.data() + (tap * shape().out_channels + group * outputs) * inputs;
    const bool is_added = tap > 0;
    if (layout() == Layout::kPlain) {
      const int64_t plane = height_ * width_;
      OpenblasGemm({outputs, wide_pixels_, inputs, 1, is_added}, {filters, inputs},
                   {padded + group * inputs * plane + start, plane},
                   wide + group * outputs * wide_pixels_, wide_pixels_);
    } else {
      OpenblasGemm({wide_pixels_, outputs, inputs, 1, is_added},
                   {padded + start * shape().in_channels + group * inputs, shape().in_channels},
                   {filters, inputs, /*is_transposed=*/true}, wide + group * outputs,
                   shape().out_channels);
    }
  }

  void KeepPixels(const float* wide, float* y) const {
    const WindowPlane& plane = shape().plane;
    const bool is_plain = layout() == Layout::kPlain;
    const int64_t images = is_plain ? shape().out_channels : 1;
    const int64_t element = is_plain ? 1 : shape().out_channels;
    const int64_t count = plane.x.output * element;
    for (int64_t row = 0; row < images * plane.y.output; ++row, y += count) {
      const int64_t image = row / plane.y.output, oy = row % plane.y.output;
      const float* from = wide + (image * wide_pixels_ + oy * width_) * element;
      if (accumulates()) {
        for (int64_t i = 0; i < count; ++i) y[i] += from[i];
      } else {
        std::copy_n(from, count, y);
      }
    }
  }

  int64_t height_, width_;  // of the padded image
  int64_t padded_elements_;
  int64_t wide_pixels_;  // the last row ends where the image does
};

class Kn2rowConv final : public OpenblasConv {
 public:
  std::string_view Name() const override { return "openblas.kn2row_conv"; }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return std::make_unique<Kn2rowKernel>(spec, implementation.output, target, weights);
  }

 protected:
  Support SupportsShape(const ConvShape& shape) const override {
    if (!shape.is_dense()) return Support::No("stride: only 1 is supported");
    if (shape.taps() == 1) return Support::No("a kernel of 1 has no taps to sum over");
    if (shape.groups > 1 && shape.group_inputs() == 1) {
      return Support::No("depthwise: a product of one column a tap and channel");
    }
    return Support::Yes();
  }
  std::vector<Layout> Layouts() const override { return {Layout::kPlain, Layout::kChannelsLast}; }
};

}  // namespace

std::unique_ptr<Primitive> MakeOpenblasKn2rowConv() { return std::make_unique<Kn2rowConv>(); }

}  // namespace fettle
