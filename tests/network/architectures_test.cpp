#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "fettle/core/error.h"
#include "fettle/network/architectures/architecture_list.h"

namespace fettle {
namespace {

TEST(ArchitecturesTest, AllTakeImagesAndGiveLogits) {
  for (const Architecture& architecture : Architectures()) {
    for (const Shape& image : {Shape{1, 28, 28}, Shape{3, 32, 32}}) {
      const Graph graph = MakeArchitecture(architecture.name, image, 7, 1);
      EXPECT_EQ(graph.value(graph.inputs()[0]).type.shape,
                (Shape{1, image[0], image[1], image[2]}));
      EXPECT_EQ(graph.value(graph.outputs()[0]).type.shape, (Shape{1, 7})) << architecture.name;
    }
  }
}

// Weights learned or estimated, counted by hand from the papers' tables.
TEST(ArchitecturesTest, HaveTheParametersOfThePapers) {
  const auto parameters = [](const char* name) {
    return MakeArchitecture(name, {3, 32, 32}, 10, 1).NumParameters();
  };
  // 0.27 M of ResNet-20 with identity shortcuts (269,722 learned); two projections of 16x32 and
  // 32x64 with their batch norms; running statistics of 784 channels.
  EXPECT_EQ(parameters("resnet20"), 269'722 + 512 + 64 + 2048 + 128 + 2 * (688 + 96));
  // 16-1 and 16-2: 0.18 M and 0.69 M; 40-2: 2.2 M.
  EXPECT_NEAR(static_cast<double>(parameters("wrn-16-1")), 0.18e6, 0.01e6);
  EXPECT_NEAR(static_cast<double>(parameters("wrn-16-2")), 0.69e6, 0.01e6);
  EXPECT_NEAR(static_cast<double>(parameters("wrn-40-2")), 2.25e6, 0.05e6);
}

TEST(ArchitecturesTest, WeightsComeFromTheSeed) {
  const auto weights = [](uint64_t seed) {
    const Graph graph = MakeArchitecture("resnet8", {1, 28, 28}, 10, seed);
    std::vector<Tensor> tensors;
    for (size_t id = 0; id < graph.num_values(); ++id) {
      const Value& value = graph.value(static_cast<ValueId>(id));
      if (value.constant) tensors.push_back(*value.constant);
    }
    return tensors;
  };
  EXPECT_TRUE(weights(1) == weights(1));
  EXPECT_FALSE(weights(1) == weights(2));
}

TEST(ArchitecturesTest, ConvolutionsBeginAsHeAndOthersSay) {
  const Graph graph = MakeArchitecture("wrn-16-2", {3, 32, 32}, 10, 1);
  for (const Node& node : graph.nodes()) {
    if (!std::holds_alternative<Conv>(node.op)) continue;
    const Tensor& weights = *graph.value(node.inputs[1]).constant;
    double squares = 0;
    for (const float weight : weights.values<float>()) squares += weight * weight;
    const Shape& shape = weights.shape();
    const double variance = squares / static_cast<double>(weights.num_elements());
    const double expected = 2.0 / static_cast<double>(shape[0] * shape[2] * shape[3]);
    // Five deviations of the estimate.
    EXPECT_NEAR(variance / expected, 1,
                5 * std::sqrt(2.0 / static_cast<double>(weights.num_elements())));
  }
}

TEST(ArchitecturesTest, UnknownNamesAreRefusedWithThoseKnown) {
  try {
    MakeArchitecture("resnet21", {1, 28, 28}, 10, 1);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kUsage);
    EXPECT_THAT(error.what(),
                testing::AllOf(testing::HasSubstr("'resnet21'"), testing::HasSubstr("resnet20, ")));
  }
  EXPECT_THROW(MakeArchitecture("resnet20", {28, 28}, 10, 1), Error);
  EXPECT_THROW(MakeArchitecture("resnet20", {0, 28, 28}, 10, 1), Error);
  EXPECT_THROW(MakeArchitecture("resnet20", {1, 28, 28}, 0, 1), Error);
}

}  // namespace
}  // namespace fettle
