#include "tests/support/small_models.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <set>
#include <span>
#include <string>
#include <vector>

#include "fettle/network/onnx/import.h"
#include "tests/support/peer.h"
#include "tests/support/test_tensors.h"

namespace fettle {
namespace {

// That ONNX Runtime takes them proves that they are valid.
TEST(SmallModelsTest, OnnxRuntimeRunsEach) {
  OnnxRuntimePeer peer(InstalledPeer());
  std::set<std::string> names;
  for (const SmallModel& model : SmallModels()) {
    SCOPED_TRACE(model.name);
    EXPECT_TRUE(names.insert(model.name).second);
    OnnxRuntimeSession session = peer.LoadBytes(model.bytes);
    const std::vector<Tensor> inputs = RandomTensors(model.inputs, 1);
    const std::vector<Tensor> outputs = session.Run(inputs);
    ASSERT_EQ(outputs.size(), model.outputs.size());
    for (size_t i = 0; i < outputs.size(); ++i) {
      const Tensor& output = outputs[i];
      EXPECT_EQ(TypeText(output.type()), TypeText(model.outputs[i])) << session.outputs()[i];
      EXPECT_NE(RelativeError(Tensor(output.type()), output), 0) << "all zero";
    }
  }
  EXPECT_GE(names.size(), 26U);
}

TEST(SmallModelsTest, EachIsImported) {
  for (const SmallModel& model : SmallModels()) {
    SCOPED_TRACE(model.name);
    const ImportOptions options = {.batch = model.outputs[0].shape.at(0)};
    const Graph graph =
        ImportOnnxBytes(std::as_bytes(std::span(model.bytes)), model.name, {}, options);
    ASSERT_EQ(graph.outputs().size(), model.outputs.size());
    for (size_t i = 0; i < model.outputs.size(); ++i) {
      EXPECT_EQ(TypeText(graph.value(graph.outputs()[i]).type), TypeText(model.outputs[i])) << i;
    }
  }
}

TEST(SmallModelsTest, TheSeedDecidesTheWeights) {
  const std::vector<SmallModel> one = SmallModels(1);
  const std::vector<SmallModel> same = SmallModels(1);
  const std::vector<SmallModel> other = SmallModels(2);
  int different = 0;
  for (size_t i = 0; i < one.size(); ++i) {
    EXPECT_EQ(one[i].bytes, same[i].bytes) << one[i].name;
    different += one[i].bytes != other[i].bytes;
  }
  EXPECT_GE(different, 15);  // the others have no weights
}

}  // namespace
}  // namespace fettle
