// The reference against a second opinion: formulas written down element by element in FP64, and
// values worked out by hand.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>

#include "tests/primitives/run_layer.h"
#include "tests/support/random_tensor.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::FloatNear;
using testing::Pointwise;

std::vector<float> ValuesOf(const Tensor& tensor) {
  const auto values = tensor.values<float>();
  return {values.begin(), values.end()};
}

Tensor RandomF32(const Shape& shape, uint64_t seed) {
  Random random(seed);
  return RandomTensor({DType::kF32, shape}, -2, 2, &random);
}

// Element [n,c,y,x] of a tensor, 0 outside.
double At(const Tensor& t, int64_t n, int64_t c, int64_t y, int64_t x) {
  const Shape& s = t.shape();
  if (y < 0 || y >= s[2] || x < 0 || x >= s[3]) return 0;
  return t.values<float>()[static_cast<size_t>(((n * s[1] + c) * s[2] + y) * s[3] + x)];
}

// Compares with formula(n, c, y, x) everywhere.
void ExpectFormula(const Tensor& actual,
                   const std::function<double(int64_t, int64_t, int64_t, int64_t)>& formula) {
  const Shape& s = actual.shape();
  for (int64_t n = 0; n < s[0]; ++n) {
    for (int64_t c = 0; c < s[1]; ++c) {
      for (int64_t y = 0; y < s[2]; ++y) {
        for (int64_t x = 0; x < s[3]; ++x) {
          const double expected = formula(n, c, y, x);
          ASSERT_NEAR(At(actual, n, c, y, x), expected, 1e-6 * std::max(1.0, std::abs(expected)))
              << "at " << n << "," << c << "," << y << "," << x;
        }
      }
    }
  }
}

struct ConvCase {
  Window window;
  int64_t groups, in, out;
};

TEST(ReferenceTest, ConvolutionIsItsFormula) {
  const ConvCase cases[] = {{{{3, 3}, {1, 1}, {1, 1}, {1, 1}, {1, 1}}, 1, 3, 4},
                            {{{3, 2}, {2, 1}, {1, 2}, {0, 1}, {2, 0}}, 2, 4, 6},
                            {{{1, 1}, {2, 3}, {1, 1}, {0, 0}, {0, 0}}, 1, 2, 3},
                            {{{5, 5}, {1, 2}, {2, 1}, {4, 2}, {3, 2}}, 4, 4, 8},
                            {{{2, 2}, {3, 3}, {3, 3}, {1, 0}, {0, 1}}, 1, 1, 1}};
  for (const ConvCase& c : cases) {
    const Window& w = c.window;
    const int64_t inputs = c.in / c.groups;
    const Tensor x = RandomF32({2, c.in, 9, 8}, 1);
    const Tensor filters = RandomF32({c.out, inputs, w.kernel[0], w.kernel[1]}, 2);
    const Tensor bias = RandomF32({c.out}, 3);
    const Tensor y = RunReference(Conv{w, c.groups}, {x, filters, bias});
    ExpectFormula(y, [&](int64_t n, int64_t t, int64_t oy, int64_t ox) {
      double sum = bias.values<float>()[static_cast<size_t>(t)];
      for (int64_t s = 0; s < inputs; ++s) {
        for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
          for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
            sum += At(filters, t, s, ky, kx) *
                   At(x, n, t / (c.out / c.groups) * inputs + s,
                      oy * w.strides[0] + ky * w.dilations[0] - w.pads_begin[0],
                      ox * w.strides[1] + kx * w.dilations[1] - w.pads_begin[1]);
          }
        }
      }
      return sum;
    });
  }
}

TEST(ReferenceTest, ConvolutionOverOneAxisByHand) {
  const Window window = {{2}, {2}, {1}, {1}, {0}};
  const Tensor y = RunReference(
      Conv{window, 1}, {F32({1, 1, 5}, {1, 2, 3, 4, 5}), F32({1, 1, 2}, {10, 1}), F32({1}, {100})});
  // (0,1) (2,3) (4,5) with the filter (10, 1).
  EXPECT_THAT(ValuesOf(y), ElementsAre(101, 123, 145));
}

TEST(ReferenceTest, PoolingIsItsFormula) {
  const Window windows[] = {{{3, 3}, {2, 2}, {1, 1}, {1, 1}, {1, 1}},
                            {{2, 3}, {1, 2}, {2, 1}, {1, 0}, {0, 1}},
                            {{2, 2}, {2, 2}, {1, 1}, {0, 0}, {0, 0}}};
  const Tensor x = RandomF32({2, 3, 9, 8}, 4);
  for (const Window& w : windows) {
    for (int64_t overhang : {0, 1}) {
      for (bool include_pad : {false, true}) {
        // Visits every place the window covers that is inside or padding, but not overhang.
        const auto fold = [&](int64_t n, int64_t c, int64_t oy, int64_t ox, const auto& visit) {
          for (int64_t ky = 0; ky < w.kernel[0]; ++ky) {
            for (int64_t kx = 0; kx < w.kernel[1]; ++kx) {
              const int64_t iy = oy * w.strides[0] + ky * w.dilations[0] - w.pads_begin[0];
              const int64_t ix = ox * w.strides[1] + kx * w.dilations[1] - w.pads_begin[1];
              if (iy >= 9 + w.pads_end[0] || ix >= 8 + w.pads_end[1]) continue;
              visit(iy >= 0 && iy < 9 && ix >= 0 && ix < 8, At(x, n, c, iy, ix));
            }
          }
        };
        const Tensor largest =
            RunReference(Pool{PoolKind::kMax, w, {overhang, overhang}, false}, {x});
        ExpectFormula(largest, [&](int64_t n, int64_t c, int64_t oy, int64_t ox) {
          double most = -1e9;
          fold(n, c, oy, ox, [&](bool inside, double v) { most = inside && v > most ? v : most; });
          return most;
        });
        const Tensor mean =
            RunReference(Pool{PoolKind::kAverage, w, {overhang, overhang}, include_pad}, {x});
        ExpectFormula(mean, [&](int64_t n, int64_t c, int64_t oy, int64_t ox) {
          double sum = 0, count = 0;
          fold(n, c, oy, ox, [&](bool inside, double v) {
            sum += v;
            count += inside || include_pad ? 1 : 0;
          });
          return sum / count;
        });
      }
    }
  }
}

TEST(ReferenceTest, OverhangIsNotCountedByHand) {
  // Windows of 2 and stride 2 over three elements: the second covers the third and the overhang.
  const Pool op{PoolKind::kAverage, {{2}, {2}, {1}, {0}, {0}}, {1}, true};
  EXPECT_THAT(ValuesOf(RunReference(op, {F32({1, 1, 3}, {2, 4, 6})})), ElementsAre(3, 6));
}

TEST(ReferenceTest, ResizeByHand) {
  const Tensor line = F32({1, 1, 4}, {1, 2, 3, 4});
  const auto resized = [&](ResizeMode mode, ResizeCoordinates coordinates, NearestRounding rounding,
                           int64_t size) {
    const float scale = static_cast<float>(size) / 4;
    return ValuesOf(
        RunReference(Resize{mode, coordinates, rounding, {1, 1, scale}, {1, 1, size}}, {line}));
  };
  const auto linear = [&](ResizeCoordinates coordinates, int64_t size) {
    return resized(ResizeMode::kLinear, coordinates, NearestRounding::kFloor, size);
  };
  const auto nearest = [&](ResizeCoordinates coordinates, NearestRounding rounding, int64_t size) {
    return resized(ResizeMode::kNearest, coordinates, rounding, size);
  };
  using C = ResizeCoordinates;
  using R = NearestRounding;
  EXPECT_THAT(linear(C::kHalfPixel, 8), ElementsAre(1, 1.25, 1.75, 2.25, 2.75, 3.25, 3.75, 4));
  EXPECT_THAT(linear(C::kHalfPixel, 2), ElementsAre(1.5, 3.5));
  EXPECT_THAT(linear(C::kHalfPixel, 1), ElementsAre(2.5));
  EXPECT_THAT(linear(C::kPytorchHalfPixel, 1), ElementsAre(1));
  EXPECT_THAT(linear(C::kAlignCorners, 7), ElementsAre(1, 1.5, 2, 2.5, 3, 3.5, 4));
  EXPECT_THAT(linear(C::kAlignCorners, 1), ElementsAre(1));
  EXPECT_THAT(linear(C::kAsymmetric, 8), ElementsAre(1, 1.5, 2, 2.5, 3, 3.5, 4, 4));
  EXPECT_THAT(nearest(C::kAsymmetric, R::kFloor, 8), ElementsAre(1, 1, 2, 2, 3, 3, 4, 4));
  EXPECT_THAT(nearest(C::kAsymmetric, R::kCeil, 8), ElementsAre(1, 2, 2, 3, 3, 4, 4, 4));
  // Sources 0.5 and 2.5: the ties.
  EXPECT_THAT(nearest(C::kHalfPixel, R::kRoundPreferFloor, 2), ElementsAre(1, 3));
  EXPECT_THAT(nearest(C::kHalfPixel, R::kRoundPreferCeil, 2), ElementsAre(2, 4));
}

TEST(ReferenceTest, BilinearResizeIsTheProductOfTwo) {
  const Tensor x = RandomF32({1, 2, 5, 4}, 5);
  const Resize op{ResizeMode::kLinear,
                  ResizeCoordinates::kHalfPixel,
                  NearestRounding::kFloor,
                  {1, 1, 2.2f, 0.75f},
                  {1, 2, 11, 3}};
  const auto source = [](int64_t at, double scale, int64_t extent, int64_t* low, double* weight) {
    const double position = std::min(std::max((static_cast<double>(at) + 0.5) / scale - 0.5, 0.0),
                                     static_cast<double>(extent - 1));
    *low = static_cast<int64_t>(position);
    *weight = position - static_cast<double>(*low);
  };
  ExpectFormula(RunReference(op, {x}), [&](int64_t n, int64_t c, int64_t oy, int64_t ox) {
    int64_t y = 0, xx = 0;
    double wy = 0, wx = 0;
    source(oy, 2.2f, 5, &y, &wy);
    source(ox, 0.75, 4, &xx, &wx);
    return (1 - wy) * ((1 - wx) * At(x, n, c, y, xx) + wx * At(x, n, c, y, xx + 1)) +
           wy * ((1 - wx) * At(x, n, c, y + 1, xx) + wx * At(x, n, c, y + 1, xx + 1));
  });
}

TEST(ReferenceTest, LrnIsItsFormula) {
  const Tensor x = RandomF32({2, 7, 2, 3}, 6);
  for (int64_t size : {1, 2, 3, 4, 5, 20}) {
    const Lrn op{size, 0.3f, 0.75f, 2};
    ExpectFormula(RunReference(op, {x}), [&](int64_t n, int64_t c, int64_t y, int64_t xx) {
      double squares = 0;
      for (int64_t j = c - (size - 1) / 2; j <= c + size / 2; ++j) {
        if (j >= 0 && j < 7) squares += At(x, n, j, y, xx) * At(x, n, j, y, xx);
      }
      return At(x, n, c, y, xx) /
             std::pow(2 + double{0.3f} / static_cast<double>(size) * squares, 0.75);
    });
  }
}

TEST(ReferenceTest, SoftmaxIsItsFormulaAndDoesNotOverflow) {
  const Tensor x = RandomF32({2, 5, 3, 4}, 7);
  ExpectFormula(RunReference(Softmax{1}, {x}), [&](int64_t n, int64_t c, int64_t y, int64_t xx) {
    double sum = 0;
    for (int64_t j = 0; j < 5; ++j) sum += std::exp(At(x, n, j, y, xx));
    return std::exp(At(x, n, c, y, xx)) / sum;
  });
  EXPECT_THAT(ValuesOf(RunReference(Softmax{0}, {F32({3}, {1000, 1000, -1000})})),
              ElementsAre(0.5, 0.5, 0));
}

TEST(ReferenceTest, MatrixProductsByHand) {
  const Tensor a = F32({2, 3}, {1, 2, 3, 4, 5, 6});
  const Tensor b = F32({3, 2}, {1, 0, 0, 1, 1, 1});
  EXPECT_THAT(ValuesOf(RunReference(MatMul{}, {a, b})), ElementsAre(4, 5, 10, 11));
  EXPECT_THAT(ValuesOf(RunReference(Gemm{false, false, 2, 0.5f}, {a, b, F32({2, 1}, {2, 4})})),
              ElementsAre(9, 11, 22, 24));
  EXPECT_THAT(ValuesOf(RunReference(Gemm{true, true}, {a, F32({1, 2}, {1, 10})})),
              ElementsAre(41, 52, 63));
  EXPECT_THAT(ValuesOf(RunReference(InnerProduct{}, {a, F32({1, 3}, {1, 1, 1}), F32({1}, {10})})),
              ElementsAre(16, 25));
  // Leading axes are broadcast; a vector is a row on the left and a column on the right.
  EXPECT_THAT(ValuesOf(RunReference(
                  MatMul{}, {F32({2, 1, 1, 2}, {1, 2, 3, 4}), F32({2, 2, 1}, {1, 1, 1, 0})})),
              ElementsAre(3, 1, 7, 3));
  EXPECT_THAT(ValuesOf(RunReference(MatMul{}, {F32({3}, {1, 1, 1}), b})), ElementsAre(2, 2));
  EXPECT_THAT(ValuesOf(RunReference(MatMul{}, {a, F32({3}, {0, 0, 1})})), ElementsAre(3, 6));
}

TEST(ReferenceTest, ElementwiseByHand) {
  const Tensor x = F32({4}, {-4, -1, 0.5, 8});
  const auto activated = [&](Activation op) { return ValuesOf(RunReference(op, {x})); };
  EXPECT_THAT(activated({ActivationKind::kRelu}), ElementsAre(0, 0, 0.5, 8));
  EXPECT_THAT(activated({ActivationKind::kClip, -2, 6}), ElementsAre(-2, -1, 0.5, 6));
  EXPECT_THAT(activated({ActivationKind::kLeakyRelu, 0.5f}), ElementsAre(-2, -0.5, 0.5, 8));
  EXPECT_THAT(activated({ActivationKind::kHardSigmoid, 0.25f, 0.5f}),
              ElementsAre(0, 0.25, 0.625, 1));
  EXPECT_THAT(activated({ActivationKind::kHardSwish}),
              Pointwise(FloatNear(1e-6f), {0.0, -1.0 / 3, 0.5 * (0.5 / 6 + 0.5), 8.0}));
  EXPECT_THAT(activated({ActivationKind::kSigmoid}),
              Pointwise(FloatNear(1e-6f), {0.01798621, 0.26894142, 0.62245933, 0.99966465}));
  EXPECT_THAT(activated({ActivationKind::kTanh}),
              Pointwise(FloatNear(1e-6f), {-0.99932930, -0.76159416, 0.46211716, 0.99999977}));
  const Tensor m = F32({2, 2}, {1, 2, 3, 4});
  const Tensor column = F32({2, 1}, {10, 20});
  EXPECT_THAT(ValuesOf(RunReference(Binary{BinaryKind::kSub}, {m, column})),
              ElementsAre(-9, -8, -17, -16));
  EXPECT_THAT(ValuesOf(RunReference(Binary{BinaryKind::kDiv}, {column, m})),
              ElementsAre(10, 5, 20.0f / 3, 5));
  EXPECT_THAT(ValuesOf(RunReference(Sum{}, {m, column, F32({}, {100})})),
              ElementsAre(111, 112, 123, 124));
  EXPECT_THAT(ValuesOf(RunReference(ChannelAffine{}, {m, F32({2}, {2, 3}), F32({2}, {0, 1})})),
              ElementsAre(2, 7, 6, 13));
  EXPECT_THAT(ValuesOf(RunReference(BatchNorm{1}, {m, F32({2}, {2, 3}), F32({2}, {0, 1}),
                                                   F32({2}, {1, 2}), F32({2}, {3, 0})})),
              ElementsAre(0, 1, 2, 7));
}

TEST(ReferenceTest, ReductionsByHand) {
  const Tensor x = F32({1, 2, 2, 2}, {1, 2, 3, 4, 5, 6, 7, 8});
  EXPECT_THAT(ValuesOf(RunReference(GlobalAveragePool{}, {x})), ElementsAre(2.5, 6.5));
  EXPECT_THAT(ValuesOf(RunReference(ReduceMean{{1, 3}, false}, {x})), ElementsAre(3.5, 5.5));
  EXPECT_THAT(ValuesOf(RunReference(ReduceMean{{}, true}, {x})),
              ElementsAre(1, 2, 3, 4, 5, 6, 7, 8));
}

TEST(ReferenceTest, MovesByHand) {
  const Tensor x = F32({2, 3}, {1, 2, 3, 4, 5, 6});
  EXPECT_THAT(ValuesOf(RunReference(Slice{{1, 2}, {-1, -1}, {-1, -2}}, {x})),
              ElementsAre(6, 4, 3, 1));
  EXPECT_THAT(ValuesOf(RunReference(Transpose{{1, 0}}, {x})), ElementsAre(1, 4, 2, 5, 3, 6));
  EXPECT_THAT(ValuesOf(RunReference(Concat{1}, {x, F32({2, 1}, {7, 8})})),
              ElementsAre(1, 2, 3, 7, 4, 5, 6, 8));
  const auto padded = [&](PadMode mode) {
    return ValuesOf(RunReference(Pad{mode, {0, 2}, {-1, 1}, 9}, {x}));
  };
  EXPECT_THAT(padded(PadMode::kConstant), ElementsAre(9, 9, 1, 2, 3, 9));
  EXPECT_THAT(padded(PadMode::kReflect), ElementsAre(3, 2, 1, 2, 3, 2));
  EXPECT_THAT(padded(PadMode::kEdge), ElementsAre(1, 1, 1, 2, 3, 3));
  const std::vector<int64_t> big = {int64_t{1} << 40, -5};
  const Tensor i64 = Tensor::Of<int64_t>(DType::kI64, {2}, big);
  const Tensor flipped = RunReference(Pad{PadMode::kConstant, {1}, {0}, -3}, {i64});
  EXPECT_THAT(flipped.values<int64_t>(), ElementsAre(-3, int64_t{1} << 40, -5));
}

TEST(ReferenceTest, CastsByHand) {
  const float inf = std::numeric_limits<float>::infinity();
  const Tensor x = F32({6}, {-1.9f, 0, 1.9f, 300, -inf, std::nanf("")});
  EXPECT_THAT(RunReference(Cast{DType::kU8}, {x}).values<uint8_t>(),
              ElementsAre(0, 0, 1, 255, 0, 0));
  EXPECT_THAT(RunReference(Cast{DType::kI32}, {x}).values<int32_t>(),
              ElementsAre(-1, 0, 1, 300, std::numeric_limits<int32_t>::min(), 0));
  EXPECT_THAT(RunReference(Cast{DType::kBool}, {x}).values<uint8_t>(),
              ElementsAre(1, 0, 1, 1, 1, 1));
  // Halves: 1.9 is not exact; the largest is 65504, the smallest 2^-24.
  const Tensor y = F32({6}, {1.9f, 65504, 65520, 0x1p-24f, 0x1p-26f, -0.0f});
  EXPECT_THAT(RunReference(Cast{DType::kF16}, {y}).values<uint16_t>(),
              ElementsAre(0x3f9a, 0x7bff, 0x7c00, 0x0001, 0x0000, 0x8000));
  const Tensor back = RunReference(Cast{DType::kF32}, {RunReference(Cast{DType::kF16}, {y})});
  EXPECT_THAT(ValuesOf(back), ElementsAre(1.900390625f, 65504, inf, 0x1p-24f, 0, 0));
}

TEST(ReferenceTest, RoundsOnceToBF16) {
  // 1 + 2^-8 + 2^-40 lies just above the tie between 1 and 1 + 2^-7. Rounded to f32 on the way it
  // would be the tie, and become 1.
  const std::vector<uint16_t> a = {ToBF16(1), ToBF16(0x1p-40f)};
  const Tensor bf16 = Tensor::Of<uint16_t>(DType::kBF16, {2}, a);
  const Tensor eighth = Tensor::Of<uint16_t>(DType::kBF16, {1}, std::vector{ToBF16(0x1p-8f)});
  const Tensor small = Tensor::Of<uint16_t>(DType::kBF16, {1}, std::vector{ToBF16(0x1p-40f)});
  const Tensor y = RunReference(Sum{}, {bf16, eighth, small});
  EXPECT_EQ(y.values<uint16_t>()[0], ToBF16(1 + 0x1p-7f));
}

// The layers with a fused residual and activation: the order is sum, then activation.
TEST(ReferenceTest, AddsTheResidualBeforeTheActivation) {
  LayerSpec spec;
  spec.op = Conv{{{1, 1}, {1, 1}, {1, 1}, {0, 0}, {0, 0}}, 1};
  spec.inputs = {{DType::kF32, {1, 1, 1, 2}}, {DType::kF32, {1, 1, 1, 2}}};
  spec.weights = {{DType::kF32, {1, 1, 1, 1}}, {DType::kF32, {1}}};
  spec.output = spec.inputs[0];
  spec.adds_residual = true;
  spec.activation = Activation{ActivationKind::kRelu};
  const Tensor x = F32({1, 1, 1, 2}, {1, 2}), residual = F32({1, 1, 1, 2}, {-30, 30});
  const Tensor w = F32({1, 1, 1, 1}, {10}), bias = F32({1}, {1});
  const PrimitiveList list = PrimitiveList::All();
  const auto kernel =
      list.reference().Prepare(spec, list.reference().Implementations(spec, Target()).front(),
                               Target(), std::vector<const Tensor*>{&w, &bias});
  Tensor y(spec.output);
  kernel->Run(std::vector<const std::byte*>{x.bytes(), residual.bytes()}, y.bytes(), nullptr);
  EXPECT_THAT(ValuesOf(y), ElementsAre(0, 51));
}

TEST(ReferenceTest, SaysWhyNot) {
  LayerSpec spec;
  spec.op = Softmax{0};
  spec.inputs = {{DType::kI32, {2}}};
  spec.output = spec.inputs[0];
  const PrimitiveList list = PrimitiveList::All();
  EXPECT_EQ(list.reference().Supports(spec, Target()).reason, "i32[2]: only f32 and bf16");
}

}  // namespace
}  // namespace fettle
