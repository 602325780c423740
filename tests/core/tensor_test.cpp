#include "fettle/core/tensor.h"

#include <gtest/gtest.h>

#include <utility>
#include <vector>

namespace fettle {
namespace {

TEST(ShapeTest, CountsElements) {
  EXPECT_EQ(ElementCount(Shape{}), 1);
  EXPECT_EQ(ElementCount(Shape{2, 3, 4}), 24);
  EXPECT_EQ(ElementCount(Shape{2, 0, 4}), 0);
}

TEST(ShapeTest, RefusesNegativeAndOverflowingExtents) {
  const int64_t big = int64_t{1} << 40;
  EXPECT_FALSE(CheckedElementCount({2, -1}));
  EXPECT_FALSE(CheckedElementCount({big, big}));
  EXPECT_FALSE(CheckedElementCount({0, -1}));
}

TEST(ShapeTest, TextParsesBack) {
  for (const Shape& shape : {Shape{}, Shape{7}, Shape{1, 64, 56, 56}, Shape{0, 3}}) {
    EXPECT_EQ(ParseShape(ShapeText(shape)), shape);
    const TensorType type{DType::kBF16, shape};
    EXPECT_EQ(ParseType(TypeText(type)), type);
  }
  EXPECT_EQ(TypeText({DType::kF32, {1, 64, 56, 56}}), "f32[1x64x56x56]");
}

TEST(ShapeTest, RefusesEveryOtherText) {
  for (const char* text : {"", "x", "1x", "x1", "1xx2", "-1", "01", "+1", " 1", "1 ",
                           "1x99999999999999999999", "9223372036854775807x9223372036854775807"}) {
    EXPECT_FALSE(ParseShape(text)) << text;
  }
  for (const char* text : {"", "f32", "f32[", "[1]", "f32]1[", "f32[1]x", "f31[1]"}) {
    EXPECT_FALSE(ParseType(text)) << text;
  }
}

TEST(ShapeTest, StridesAreRowMajor) {
  EXPECT_EQ(RowMajorStrides({2, 3, 4}), (std::vector<int64_t>{12, 4, 1}));
  EXPECT_TRUE(RowMajorStrides({}).empty());
}

TEST(TensorTest, StartsAtZeroAlignedAndSized) {
  const Tensor tensor({DType::kF32, {3, 5}});
  EXPECT_EQ(tensor.num_bytes(), 60u);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(tensor.bytes()) % 64, 0u);
  for (float value : tensor.values<float>()) EXPECT_EQ(value, 0);
}

TEST(TensorTest, CopiesAreDeep) {
  const std::vector<int64_t> values = {1, 2, 3, 4};
  const Tensor a = Tensor::Of<int64_t>(DType::kI64, {2, 2}, values);
  Tensor b = a;
  EXPECT_TRUE(a == b);
  b.values<int64_t>()[3] = 9;
  EXPECT_FALSE(a == b);
  EXPECT_EQ(a.values<int64_t>()[3], 4);
  b = a;
  EXPECT_TRUE(a == b);
}

TEST(TensorTest, ReshapingKeepsTheValues) {
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const Tensor tensor = Tensor::Of<float>(DType::kF32, {2, 3}, values).Reshaped({3, 2});
  EXPECT_EQ(tensor.shape(), (Shape{3, 2}));
  EXPECT_EQ(tensor.values<float>()[4], 5);
}

TEST(TensorTest, MayBeEmpty) {
  const Tensor tensor;
  Tensor copy({DType::kF32, {3}});
  copy = tensor;
  EXPECT_EQ(copy.num_elements(), 0);
  EXPECT_TRUE(copy == tensor);
}

}  // namespace
}  // namespace fettle
