#include "fettle/core/op.h"

#include <gtest/gtest.h>

#include <limits>

namespace fettle {
namespace {

const Window kWindow = {{3, 5}, {1, 2}, {1, 1}, {1, 0}, {1, 2}};

const Op kOps[] = {
    Conv{kWindow, 4},
    BatchNorm{1e-3f},
    Gemm{false, true, 0.1f, 2},
    MatMul{},
    Activation{ActivationKind::kClip, 0, 6},
    Activation{ActivationKind::kClip, -std::numeric_limits<float>::infinity(), 0.1f},
    Softmax{1},
    Pool{PoolKind::kAverage, kWindow, {0, 1}, true},
    GlobalAveragePool{},
    ReduceMean{{2, 3}, false},
    Binary{BinaryKind::kDiv},
    Sum{},
    Concat{1},
    Split{1, {3, 4}},
    Slice{{5, 0}, {-1, 4}, {-1, 2}},
    Reshape{{}},
    Reshape{{1, 0, 7}},
    Transpose{{1, 0}},
    Pad{PadMode::kReflect, {0, -1}, {2, 3}, -0.5f},
    Resize{ResizeMode::kLinear,
           ResizeCoordinates::kAlignCorners,
           NearestRounding::kCeil,
           {1.5f, 1e-30f},
           {3, 4}},
    Lrn{5, 1e-4f, 0.75f, 2},
    Cast{DType::kBF16},
    Identity{},
    InnerProduct{},
    ChannelAffine{},
    Reorder{},
    InvertedResidual{true, Activation{ActivationKind::kClip, 0, 6}, kWindow, std::nullopt},
    InvertedResidual{true, std::nullopt, kWindow, Activation{ActivationKind::kClip, 0, 6}},
    InvertedResidual{true, std::nullopt, kWindow,
                     Activation{ActivationKind::kClip, -std::numeric_limits<float>::infinity(), 6}},
    InvertedResidual{false, std::nullopt, kWindow, Activation{ActivationKind::kRelu}},
};

TEST(OpTest, TextParsesBack) {
  for (const Op& op : kOps) {
    const std::optional<Op> parsed = ParseOp(OpText(op));
    ASSERT_TRUE(parsed) << OpText(op);
    EXPECT_EQ(OpText(*parsed), OpText(op));
    EXPECT_EQ(parsed->index(), op.index());
  }
}

TEST(OpTest, TextIsThePersistedOne) {
  EXPECT_EQ(OpText(kOps[0]),
            "conv(kernel=3x5,strides=1x2,dilations=1x1,pads_begin=1x0,pads_end=1x2,groups=4)");
  EXPECT_EQ(OpText(Activation{ActivationKind::kClip, 0, 6}),
            "activation(kind=clip,alpha=0,beta=6)");
  EXPECT_EQ(OpText(Sum{}), "sum()");
  EXPECT_EQ(
      OpText(InvertedResidual{
          true, Activation{ActivationKind::kClip, 0, 6}, {{3}, {2}, {1}, {1}, {1}}, std::nullopt}),
      "inverted_residual(expands=1,expanded=clip:0:6,kernel=3,strides=2,dilations=1,"
      "pads_begin=1,pads_end=1,filtered=none)");
}

TEST(OpTest, EqualityComparesKindAndAttributes) {
  for (size_t i = 0; i < std::size(kOps); ++i) {
    for (size_t j = 0; j < std::size(kOps); ++j) EXPECT_EQ(kOps[i] == kOps[j], i == j);
  }
}

TEST(OpTest, MissingFieldsTakeTheirDefaults) { EXPECT_EQ(ParseOp("lrn(size=3)"), Op(Lrn{3})); }

TEST(OpTest, RefusesWhatIsNoOperator) {
  for (const char* text : {"",
                           "(",
                           ")",
                           "conv",
                           "conv(",
                           "conv)",
                           "blur()",
                           "conv(kernel=3x)",
                           "conv(kernel=3y3)",
                           "conv(groups=)",
                           "conv(groups=1,groups=2)",
                           "conv(colour=1)",
                           "lrn(alpha=nan)",
                           "gemm(transpose_a=2)",
                           "inverted_residual(expanded=relu)",
                           "inverted_residual(expanded=relu:0)",
                           "inverted_residual(expanded=blur:0:0)",
                           "inverted_residual(expanded=relu:0:0:0)",
                           "cast(dtype=f31)",
                           "binary(kind=pow)",
                           "sum(x)",
                           "conv(groups=99999999999999999999)"}) {
    EXPECT_FALSE(ParseOp(text)) << text;
  }
}

TEST(WindowTest, OutputFollowsTheFormula) {
  const Window window = {{3}, {2}, {2}, {1}, {1}};
  EXPECT_EQ(WindowOutput(window, 0, 10), 4);  // (10 + 2 - 5) / 2 + 1
  EXPECT_EQ(WindowOutput(window, 0, 3), 1);
  EXPECT_EQ(WindowOutput(window, 0, 2), 0);  // does not fit
}

}  // namespace
}  // namespace fettle
