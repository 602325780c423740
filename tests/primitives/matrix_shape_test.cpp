#include "fettle/primitives/matrix_shape.h"

#include <gtest/gtest.h>

namespace fettle {
namespace {

LayerSpec Parsed(const std::string& text) {
  const std::optional<LayerSpec> spec = ParseLayerSpec(text);
  EXPECT_TRUE(spec) << text;
  return spec.value_or(LayerSpec{});
}

TEST(MatrixShapeTest, OfAGemm) {
  const LayerSpec spec = Parsed(
      "gemm(transpose_a=1,transpose_b=0,alpha=1,beta=1) in=f32[3x2],f32[3x5],f32[2x1] "
      "out=f32[2x5]");
  ASSERT_TRUE(MatrixShapeSupport(spec)) << MatrixShapeSupport(spec).reason;
  const MatrixShape matrix = MatrixShapeOf(spec);
  EXPECT_EQ(matrix.rows, 2);
  EXPECT_EQ(matrix.inner, 3);
  EXPECT_EQ(matrix.columns, 5);
  EXPECT_TRUE(matrix.transpose_a);
  EXPECT_FALSE(matrix.transpose_b);
  EXPECT_EQ(matrix.count(), 1);
}

TEST(MatrixShapeTest, OfAnInnerProduct) {
  const LayerSpec spec = Parsed("inner_product() in=f32[3x2] weights=f32[5x2],f32[5] out=f32[3x5]");
  ASSERT_TRUE(MatrixShapeSupport(spec)) << MatrixShapeSupport(spec).reason;
  const MatrixShape matrix = MatrixShapeOf(spec);
  EXPECT_EQ(matrix.rows, 3);
  EXPECT_EQ(matrix.inner, 2);
  EXPECT_EQ(matrix.columns, 5);
  EXPECT_TRUE(matrix.transpose_b);
}

TEST(MatrixShapeTest, OfABroadcastMatmul) {
  const LayerSpec spec = Parsed("matmul() in=f32[4x1x3x2],f32[6x2x5] out=f32[4x6x3x5]");
  ASSERT_TRUE(MatrixShapeSupport(spec)) << MatrixShapeSupport(spec).reason;
  const MatrixShape matrix = MatrixShapeOf(spec);
  EXPECT_EQ(matrix.leading, (Shape{4, 6}));
  EXPECT_EQ(matrix.a_leading, (Shape{4, 1}));
  EXPECT_EQ(matrix.b_leading, (Shape{1, 6}));
  EXPECT_EQ(matrix.count(), 24);
}

TEST(MatrixShapeTest, OfVectors) {
  const LayerSpec spec = Parsed("matmul() in=f32[2],f32[6x2x5] out=f32[6x5]");
  ASSERT_TRUE(MatrixShapeSupport(spec)) << MatrixShapeSupport(spec).reason;
  EXPECT_EQ(MatrixShapeOf(spec).rows, 1);
  EXPECT_TRUE(MatrixShapeSupport(Parsed("matmul() in=f32[2],f32[2] out=f32[scalar]")));
}

TEST(MatrixShapeTest, RefusesWhatDoesNotFit) {
  const std::string gemm = "gemm(transpose_a=0,transpose_b=0,alpha=1,beta=1)";
  const std::string faults[] = {
      gemm + " in=f32[2x3],f32[4x5] out=f32[2x5]",
      gemm + " in=f32[2x3],f32[3x5] out=f32[2x4]",
      gemm + " in=f32[2x3] out=f32[2x3]",
      gemm + " out=f32[2x3] residual=1",
      gemm + " in=f32[2x3],f32[3x5] out=f32[2x5] residual=1",
      gemm + " in=f32[2x3],f32[3x5],f32[4] out=f32[2x5]",
      gemm + " in=f32[2x3],f32[3x5],f32[1x2x5] out=f32[2x5]",
      gemm + " in=f32[1x2x3],f32[3x5] out=f32[1x2x5]",
      gemm + " in=f32[2x0],f32[0x5] out=f32[2x5]",
      "matmul() in=f32[2x2x3],f32[4x3x5] out=f32[2x2x5]",
      "matmul() in=f32[2x3],f32[3x5],f32[5] out=f32[2x5]",
      "matmul() in=f32[scalar],f32[3x5] out=f32[5]",
      "inner_product() in=f32[3x2] weights=f32[5x2],f32[1] out=f32[3x5]",
      "inner_product() in=f32[3x2] weights=f32[2x5] out=f32[3x5]",
      "identity() in=f32[3x2] out=f32[3x2]",
  };
  for (const std::string& text : faults) {
    const Support support = MatrixShapeSupport(Parsed(text));
    EXPECT_FALSE(support) << text;
    EXPECT_FALSE(support.reason.empty()) << text;
  }
}

}  // namespace
}  // namespace fettle
