#include "tests/support/sparse_model.h"

#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <cmath>
#include <cstring>
#include <map>

#include "tests/support/model_zoo.h"

namespace fettle {
namespace {

onnx::ModelProto Parsed(const std::string& bytes) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  return model;
}

std::map<std::string, std::string> WeightsOf(const onnx::ModelProto& model) {
  std::map<std::string, std::string> weights;
  for (const auto& tensor : model.graph().initializer()) weights[tensor.name()] = tensor.raw_data();
  return weights;
}

// The values that are zero; where they are not, they are the original's.
int64_t Zeros(const std::string& data, const std::string& original) {
  int64_t zeros = 0;
  for (size_t i = 0; i < data.size(); i += sizeof(float)) {
    float value = 0;
    std::memcpy(&value, data.data() + i, sizeof value);
    if (value == 0) {
      ++zeros;
    } else {
      EXPECT_EQ(std::memcmp(data.data() + i, original.data() + i, sizeof value), 0);
    }
  }
  return zeros;
}

TEST(SparseModelTest, HasTheZerosExactlyAndChangesNothingElse) {
  const std::string dense = MakeModel("resnet20");
  const onnx::ModelProto model = Parsed(WithZeros(dense, {.sparsity = 0.9, .seed = 3}));
  const auto before = WeightsOf(Parsed(dense)), after = WeightsOf(model);
  std::map<std::string, bool> is_thinned;
  bool is_first = true;
  for (const auto& node : model.graph().node()) {
    if (node.op_type() != "Conv") continue;
    is_thinned[node.input(1)] = !is_first;
    is_first = false;
  }
  EXPECT_GT(is_thinned.size(), 18u);
  for (const auto& [name, data] : after) {
    const auto count = static_cast<double>(data.size() / sizeof(float));
    if (is_thinned[name]) {
      EXPECT_EQ(Zeros(data, before.at(name)), std::llround(0.9 * count)) << name;
    } else {
      EXPECT_EQ(data, before.at(name)) << name;
    }
  }
}

TEST(SparseModelTest, FollowsFromTheSeed) {
  const std::string dense = MakeModel("resnet20");
  const ZeroOptions options{.sparsity = 0.5, .dense_first = false};
  ZeroOptions other = options;
  other.seed = 2;
  EXPECT_EQ(WithZeros(dense, options), WithZeros(dense, options));
  EXPECT_NE(WithZeros(dense, options), WithZeros(dense, other));
}

}  // namespace
}  // namespace fettle
