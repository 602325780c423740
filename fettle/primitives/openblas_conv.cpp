#include "fettle/primitives/openblas_conv.h"

#include <algorithm>
#include <cassert>

#include "fettle/primitives/layer_view.h"

namespace fettle {
namespace {

std::vector<float> ValuesOf(const Tensor& tensor) {
  const std::span<const float> values = tensor.values<float>();
  return {values.begin(), values.end()};
}

}  // namespace

OpenblasConvKernel::OpenblasConvKernel(const LayerSpec& spec, Layout layout, const Target& target,
                                       std::span<const Tensor* const> weights)
    : weights_(ValuesOf(*weights[0])),
      shape_(ConvShapeOf(spec)),
      layout_(layout),
      target_(target),
      adds_residual_(spec.adds_residual),
      epilogue_(target, spec.activation) {
  if (weights.size() > 1) bias_ = ValuesOf(*weights[1]);
}

size_t OpenblasConvKernel::WeightBytes() const {
  return (weights_.size() + bias_.size()) * sizeof(float);
}

void OpenblasConvKernel::Run(std::span<const std::byte* const> inputs, std::byte* output,
                             std::byte* workspace) const {
  const int64_t x_size = shape_.in_channels * shape_.input_pixels();
  const int64_t y_size = shape_.out_channels * shape_.output_pixels();
  auto* y = reinterpret_cast<float*>(output);
  if (adds_residual_ && inputs.back() != output) {
    std::copy_n(reinterpret_cast<const float*>(inputs.back()), shape_.batch * y_size, y);
  }
  const float* bias = bias_.empty() ? nullptr : bias_.data();
  for (int64_t n = 0; n < shape_.batch; ++n, y += y_size) {
    Convolve(reinterpret_cast<const float*>(inputs[0]) + n * x_size, y,
             reinterpret_cast<float*>(workspace));
    if (layout_ == Layout::kPlain) {
      epilogue_.ApplyToRows(y, shape_.out_channels, shape_.output_pixels(), bias);
    } else {
      epilogue_.ApplyToColumns(y, shape_.output_pixels(), shape_.out_channels, bias);
    }
  }
}

void OpenblasConvKernel::Multiply(int64_t group, const float* filters, int64_t inner,
                                  const float* pixels, int64_t pixel_stride, float* y) const {
  const int64_t outputs = shape_.group_outputs(), count = shape_.output_pixels();
  if (layout_ == Layout::kPlain) {
    OpenblasGemm({outputs, count, inner, 1, adds_residual_}, {filters, inner},
                 {pixels, pixel_stride}, y + group * outputs * count, count);
  } else {
    OpenblasGemm({count, outputs, inner, 1, adds_residual_}, {pixels, pixel_stride},
                 {filters, inner, /*is_transposed=*/true}, y + group * outputs,
                 shape_.out_channels);
  }
}

std::vector<float> TapsFirst(const ConvShape& shape, const std::vector<float>& weights) {
  const int64_t inputs = shape.group_inputs(), taps = shape.taps();
  std::vector<float> result(weights.size());
  for (int64_t t = 0; t < shape.out_channels; ++t) {
    for (int64_t s = 0; s < inputs; ++s) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        result[(t * taps + tap) * inputs + s] = weights[(t * inputs + s) * taps + tap];
      }
    }
  }
  return result;
}

Support OpenblasConv::Supports(const LayerSpec& spec, const Target&) const {
  if (Support support = ConvShapeSupport(spec); !support) return support;
  if (Support support = OpenblasTensorSupport(spec); !support) return support;
  return SupportsShape(ConvShapeOf(spec));
}

std::vector<Implementation> OpenblasConv::Implementations(const LayerSpec& spec,
                                                          const Target&) const {
  std::vector<Implementation> all;
  for (Layout layout : Layouts()) {
    std::optional<size_t> residual;
    if (spec.adds_residual) residual = spec.inputs.size() - 1;
    all.push_back({std::string(Name()), 1, std::vector<Layout>(spec.inputs.size(), layout), layout,
                   residual});
  }
  return all;
}

}  // namespace fettle
