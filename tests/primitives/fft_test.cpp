#include "fettle/primitives/fft.h"

#include <gtest/gtest.h>

#include <cmath>
#include <complex>
#include <numbers>

#include "fettle/core/random.h"
#include "fettle/primitives/primitive_list.h"
#include "fettle/primitives/tolerance.h"

namespace fettle {
namespace {

// Against the definition, there and back.
template <int kSize>
void ExpectTheTransform() {
  Random random(kSize);
  double re[kSize], im[kSize], to_re[kSize], to_im[kSize], back_re[kSize], back_im[kSize];
  for (int j = 0; j < kSize; ++j) {
    re[j] = random.Uniform(-1, 1);
    im[j] = random.Uniform(-1, 1);
  }
  Fft<kSize, false>(re, im, to_re, to_im);
  for (int k = 0; k < kSize; ++k) {
    std::complex<double> sum = 0;
    for (int j = 0; j < kSize; ++j) {
      sum += std::complex(re[j], im[j]) * std::polar(1.0, -2 * std::numbers::pi * j * k / kSize);
    }
    // The cosines are rounded to f32.
    EXPECT_NEAR(to_re[k], sum.real(), 1e-6);
    EXPECT_NEAR(to_im[k], sum.imag(), 1e-6);
  }
  Fft<kSize, true>(to_re, to_im, back_re, back_im);
  for (int j = 0; j < kSize; ++j) {
    EXPECT_NEAR(back_re[j], kSize * re[j], 1e-5);
    EXPECT_NEAR(back_im[j], kSize * im[j], 1e-5);
  }
}

TEST(FftTest, IsTheTransformByItsDefinition) {
  ExpectTheTransform<1>();
  ExpectTheTransform<2>();
  ExpectTheTransform<4>();
  ExpectTheTransform<8>();
  ExpectTheTransform<16>();
}

TEST(FftTest, ThePositionsAreDistinctAndAll) {
  using Positions = FftPositions<8>;
  std::vector<int> times(Positions::kCount, 0);
  const auto mark = [&](int position) {
    for (int i = 0; i < 3; ++i) ++times[static_cast<size_t>(position + i)];
  };
  for (int x = 1; x < 4; ++x) {
    for (int y = 0; y < 8; ++y) mark(Positions::OfMiddle(x, y));
  }
  for (int y = 1; y < 4; ++y) {
    mark(Positions::OfOuter(y, false));
    mark(Positions::OfOuter(y, true));
  }
  for (int i = 0; i < 4; ++i) ++times[static_cast<size_t>(Positions::kReal + i)];
  EXPECT_EQ(times, std::vector<int>(94, 1));
}

Tensor Uniform(const TensorType& type, Random* random) {
  Tensor tensor(type);
  for (float& value : tensor.values<float>()) value = static_cast<float>(random->Uniform(-1, 1));
  return tensor;
}

TEST(FftTest, TheConvolutionLosesFewDigits) {
  Random random(5);
  LayerSpec spec;
  spec.op = Conv{{{5, 5}, {1, 1}, {1, 1}, {2, 2}, {2, 2}}, 1};
  spec.inputs = {{DType::kF32, {1, 64, 27, 27}}};
  spec.weights = {{DType::kF32, {32, 64, 5, 5}}};
  spec.output = {DType::kF32, {1, 32, 27, 27}};
  const Tensor x = Uniform(spec.inputs[0], &random), w = Uniform(spec.weights[0], &random);
  const Tensor* const weights[] = {&w};
  const PrimitiveList list = PrimitiveList::All();
  const Target target = HostTarget(1);
  // In plain layout, by a reorder where it needs one.
  const auto run = [&](const Primitive& primitive, const Implementation& implementation,
                       Tensor* output) {
    const auto kernel = primitive.Prepare(spec, implementation, target, weights);
    std::vector<std::byte> workspace(kernel->WorkspaceBytes() + 64);
    Tensor laid_out(spec.inputs[0]), result(spec.output);
    const Shape& shape = x.shape();
    for (int64_t c = 0; c < shape[1]; ++c) {
      for (int64_t i = 0; i < shape[2] * shape[3]; ++i) {
        const Shape at = {0, c, i / shape[3], i % shape[3]};
        laid_out.values<float>()[PhysicalOffset(shape, implementation.inputs[0], at)] =
            x.values<float>()[PhysicalOffset(shape, Layout::kPlain, at)];
      }
    }
    const std::byte* const from[] = {laid_out.bytes()};
    auto* const scratch =
        workspace.data() + (64 - reinterpret_cast<uintptr_t>(workspace.data()) % 64);
    kernel->Run(from, result.bytes(), scratch);
    const Shape& out = spec.output.shape;
    for (int64_t c = 0; c < out[1]; ++c) {
      for (int64_t i = 0; i < out[2] * out[3]; ++i) {
        const Shape at = {0, c, i / out[3], i % out[3]};
        output->values<float>()[PhysicalOffset(out, Layout::kPlain, at)] =
            result.values<float>()[PhysicalOffset(out, implementation.output, at)];
      }
    }
  };
  Tensor expected(spec.output);
  run(list.reference(), list.reference().Implementations(spec, target).front(), &expected);
  const Primitive* const fft = list.Find("own.fft_conv:8");
  ASSERT_NE(fft, nullptr);
  int compared = 0;
  for (const Implementation& implementation : fft->Implementations(spec, target)) {
    Tensor actual(spec.output);
    run(*fft, implementation, &actual);
    const double error = RelativeError(spec.output, expected.bytes(), actual.bytes());
    EXPECT_LT(error, 1e-6) << implementation.name;
    ++compared;
  }
  EXPECT_EQ(compared, 4);
}

}  // namespace
}  // namespace fettle
