#include "fettle/primitives/openblas_conv.h"
#include "fettle/primitives/primitive_families.h"

namespace fettle {
namespace {

// An image is already the matrix that the filters are multiplied with.
class PointwiseKernel final : public OpenblasConvKernel {
 public:
  using OpenblasConvKernel::OpenblasConvKernel;

 private:
  void Convolve(const float* x, float* y, float* /*workspace*/) const override {
    const int64_t inputs = shape().group_inputs(), pixels = shape().input_pixels();
    const bool is_plain = layout() == Layout::kPlain;
    for (int64_t group = 0; group < shape().groups; ++group) {
      Multiply(group, weights_.data() + group * shape().group_outputs() * inputs, inputs,
               x + group * inputs * (is_plain ? pixels : 1),
               is_plain ? pixels : shape().in_channels, y);
    }
  }
};

class PointwiseConv final : public OpenblasConv {
 public:
  std::string_view Name() const override { return "openblas.pointwise_conv"; }

  std::unique_ptr<Kernel> Prepare(const LayerSpec& spec, const Implementation& implementation,
                                  const Target& target,
                                  std::span<const Tensor* const> weights) const override {
    return std::make_unique<PointwiseKernel>(spec, implementation.output, target, weights);
  }

 protected:
  Support SupportsShape(const ConvShape& shape) const override {
    if (shape.is_pointwise()) return Support::Yes();
    return Support::No("not pointwise: a kernel of 1, stride 1 and no padding is supported");
  }
  std::vector<Layout> Layouts() const override { return {Layout::kPlain, Layout::kChannelsLast}; }
};

}  // namespace

std::unique_ptr<Primitive> MakeOpenblasPointwiseConv() { return std::make_unique<PointwiseConv>(); }

}  // namespace fettle
