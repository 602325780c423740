#include <gtest/gtest.h>

#include <memory>

#include "fettle/deploy/lower.h"
#include "fettle/runtime/precision.h"
#include "tests/support/network_builder.h"

namespace fettle {
namespace {

// Two convolutions with batch norm, of which only those weights [output][...] are kept for which
// keep(output, place) says so.
template <typename Keep>
Graph Network(const Keep& keep, int64_t groups = 1) {
  NetworkBuilder builder(1);
  const ValueId x = builder.Input({1, 8, 6, 6});
  const ValueId y =
      builder.Unit("first", x, 16, NetworkBuilder::ConvOptions{.kernel = 3, .groups = groups});
  builder.graph.AddOutput(builder.Unit("second", y, 8));
  const ValueId id = builder.graph.nodes()[0].inputs[1];
  Tensor weights = *builder.graph.value(id).constant;
  const int64_t row = weights.num_elements() / weights.shape()[0];
  for (int64_t i = 0; i < weights.num_elements(); ++i) {
    if (!keep(i / row, i % row)) weights.values<float>()[static_cast<size_t>(i)] = 0;
  }
  builder.graph.SetConstant(id, std::make_shared<Tensor>(std::move(weights)));
  return std::move(builder.graph);
}

const LayerSpec& First(const LayerGraph& graph) { return graph.layers.front().spec; }

TEST(FindZerosTest, SetsTheDensityInHundredths) {
  const LayerGraph graph =
      Lower(Network([](int64_t output, int64_t place) { return (output * 72 + place) % 7 == 0; }));
  EXPECT_EQ(First(graph).density, 0.14);  // 1/7
  EXPECT_EQ(First(graph).sparse_block, 1);
  EXPECT_EQ(graph.layers[1].spec.density, 1);
  EXPECT_TRUE(KeyOf(First(graph)).text.ends_with(" density=0.14"));
  EXPECT_EQ(AtPrecision(First(graph), DType::kBF16).density, 0.14);
}

TEST(FindZerosTest, FindsTheBlocks) {
  const auto block_of = [](int64_t block) {
    return First(Lower(Network([&](int64_t output, int64_t place) {
             return (place + output / block) % 5 == 0;
           })))
        .sparse_block;
  };
  for (const int64_t block : {1, 2, 4, 8, 16}) EXPECT_EQ(block_of(block), block);
}

TEST(FindZerosTest, LeavesTheKeysOfOtherLayersAlone) {
  const auto every_other = [](int64_t, int64_t place) { return place % 8 < 5; };
  EXPECT_EQ(First(Lower(Network(every_other))).density, 1);
  const auto few = [](int64_t, int64_t place) { return place % 9 == 0; };
  EXPECT_EQ(First(Lower(Network(few, 2))).density, 1);
  EXPECT_EQ(First(Lower(Network(few), {.shapes_only = true})).density, 1);
}

TEST(FindZerosTest, ALayerOfZerosHasSomeDensity) {
  const LayerGraph graph = Lower(Network([](int64_t, int64_t) { return false; }));
  EXPECT_EQ(First(graph).density, 0.01);
}

}  // namespace
}  // namespace fettle
