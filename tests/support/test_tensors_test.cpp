#include "tests/support/test_tensors.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

namespace fettle {
namespace {

Tensor Floats(const std::vector<float>& values) {
  return Tensor::Of<float>(DType::kF32, {static_cast<int64_t>(values.size())}, values);
}

TEST(TestTensorsTest, RelativeErrorIsRelativeToTheLargest) {
  EXPECT_EQ(RelativeError(Floats({1, -4}), Floats({1, -4})), 0);
  EXPECT_EQ(RelativeError(Floats({1.5, -4}), Floats({1, -4})), 0.125);
  EXPECT_EQ(RelativeError(Floats({0, 0}), Floats({0, 0})), 0);
  EXPECT_EQ(RelativeError(Floats({}), Floats({})), 0);
  EXPECT_TRUE(std::isinf(RelativeError(Floats({1}), Floats({0}))));
}

TEST(TestTensorsTest, RelativeErrorSeesWhatIsNoNumber) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  const float infinity = std::numeric_limits<float>::infinity();
  EXPECT_TRUE(std::isinf(RelativeError(Floats({nan}), Floats({1}))));
  EXPECT_TRUE(std::isinf(RelativeError(Floats({1}), Floats({nan}))));
  EXPECT_TRUE(std::isinf(RelativeError(Floats({infinity}), Floats({1}))));
  EXPECT_TRUE(std::isinf(RelativeError(Floats({infinity}), Floats({-infinity}))));
  EXPECT_EQ(RelativeError(Floats({nan, infinity, 2}), Floats({nan, infinity, 4})), 0.5);
}

TEST(TestTensorsTest, RelativeErrorSeesOtherTypes) {
  EXPECT_TRUE(std::isinf(RelativeError(Floats({1, 2}), Floats({1}))));
  EXPECT_TRUE(std::isinf(
      RelativeError(Tensor(TensorType{DType::kI32, {1}}), Tensor(TensorType{DType::kF32, {1}}))));
}

TEST(TestTensorsTest, RandomTensorsDependOnTheSeed) {
  for (const DType dtype : {DType::kF32, DType::kF64, DType::kBF16, DType::kI8, DType::kU8,
                            DType::kI16, DType::kI32, DType::kI64, DType::kBool}) {
    const TensorType type = {dtype, {100}};
    EXPECT_EQ(RandomTensor(type, 1), RandomTensor(type, 1)) << NameOf(dtype);
    EXPECT_NE(RandomTensor(type, 1), RandomTensor(type, 2)) << NameOf(dtype);
    const std::vector<TensorType> types(2, type);
    EXPECT_NE(RandomTensors(types, 1)[0], RandomTensors(types, 1)[1]) << NameOf(dtype);
  }
  EXPECT_EQ(RandomImages({2, 3, 16, 16}, 1), RandomImages({2, 3, 16, 16}, 1));
  EXPECT_NE(RandomImages({2, 3, 16, 16}, 1), RandomImages({2, 3, 16, 16}, 2));
}

}  // namespace
}  // namespace fettle
