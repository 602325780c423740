#pragma once

#include <memory>
#include <span>
#include <vector>

#include "fettle/primitives/conv_shape.h"
#include "fettle/primitives/epilogue_pass.h"
#include "fettle/primitives/openblas_gemm.h"

// What the convolutions by matrix product have in common: f32, one image at a time, groups one
// after another, the residual as what the product is added to, bias and activation behind it.

namespace fettle {

class OpenblasConvKernel : public Kernel {
 public:
  OpenblasConvKernel(const LayerSpec& spec, Layout layout, const Target& target,
                     std::span<const Tensor* const> weights);

  size_t WeightBytes() const override;
  void Run(std::span<const std::byte* const> inputs, std::byte* output,
           std::byte* workspace) const final;

 protected:
  // y = the convolution of one image, added to y where accumulates().
  virtual void Convolve(const float* x, float* y, float* workspace) const = 0;

  const ConvShape& shape() const { return shape_; }
  Layout layout() const { return layout_; }
  const Target& target() const { return target_; }
  bool accumulates() const { return adds_residual_; }

  // A group's product, into its channels of an image: `filters` [T/groups, inner] times what
  // `pixels` holds, [inner, pixels] of plain and [pixels, inner] of channels-last images.
  void Multiply(int64_t group, const float* filters, int64_t inner, const float* pixels,
                int64_t pixel_stride, float* y) const;

  std::vector<float> weights_;  // as they come: [T, S/groups, taps]; a subclass may reorder them

 private:
  ConvShape shape_;
  Layout layout_;
  Target target_;
  bool adds_residual_;
  std::vector<float> bias_;
  EpiloguePass epilogue_;
};

// Weights [T, S/groups, taps] as [T, taps, S/groups].
std::vector<float> TapsFirst(const ConvShape& shape, const std::vector<float>& weights);

class OpenblasConv : public Primitive {
 public:
  Support Supports(const LayerSpec& spec, const Target& target) const final;
  std::vector<Implementation> Implementations(const LayerSpec& spec,
                                              const Target& target) const final;

 protected:
  virtual Support SupportsShape(const ConvShape& shape) const = 0;
  virtual std::vector<Layout> Layouts() const = 0;
};

}  // namespace fettle
