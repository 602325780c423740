#include "fettle/network/batch.h"

#include <gtest/gtest.h>

#include "fettle/core/error.h"

namespace fettle {
namespace {

Graph Small(const Shape& reshape) {
  Graph graph;
  const ValueId x = graph.AddInput("x", {DType::kF32, {2, 3, 4}});
  const ValueId y = graph.AddNode("relu", Activation{}, {x})[0];
  const ValueId z = graph.AddNode("flat", Reshape{reshape}, {y})[0];
  graph.AddOutput(z);
  return graph;
}

TEST(WithBatch, ChangesInputsAndTheShapesThatNameIt) {
  const Graph changed = WithBatch(Small({2, 12}), 5);
  EXPECT_EQ(changed.value(changed.inputs()[0]).type.shape, (Shape{5, 3, 4}));
  EXPECT_EQ(changed.value(changed.outputs()[0]).type.shape, (Shape{5, 12}));
  EXPECT_EQ(changed.value(changed.outputs()[0]).name, "flat");
  EXPECT_EQ(BatchOf(changed), 5);
}

TEST(WithBatch, RefusesNetworksThatMixTheImages) {
  EXPECT_THROW(WithBatch(Small({24}), 5), Error);
  EXPECT_THROW(WithBatch(Small({3, 8}), 5), Error);
}

}  // namespace
}  // namespace fettle
