// Whole networks: what Fettle's runtime computes agrees with ONNX Runtime.
#include <gtest/gtest.h>

#include <span>

#include "fettle/network/onnx/export.h"
#include "fettle/network/onnx/import.h"
#include "tests/deploy/network_run.h"
#include "tests/support/model_zoo.h"
#include "tests/support/peer.h"
#include "tests/support/sanitized.h"
#include "tests/support/small_models.h"
#include "tests/support/test_tensors.h"

namespace fettle {
namespace {

Graph Import(const std::string& bytes, const std::string& name) {
  return ImportOnnxBytes(std::as_bytes(std::span(bytes)), name);
}

Tensor RandomImage(const ModelFacts& facts) {
  return RandomImages({1, facts.channels, facts.extent, facts.extent}, 11);
}

class NetworkAgreement : public testing::TestWithParam<std::string> {};

TEST_P(NetworkAgreement, WithOnnxRuntime) {
  if (TakesMinutesSanitized(GetParam())) GTEST_SKIP() << "takes minutes under the sanitizers";
  const std::string model = MakeModel(GetParam());
  const std::vector<Tensor> inputs = {RandomImage(FactsOf(GetParam()))};
  OnnxRuntimePeer peer(InstalledPeer());
  const std::vector<Tensor> expected = peer.LoadBytes(model).Run(inputs);
  const Graph graph = Import(model, GetParam());
  const std::vector<Tensor> actual = RunNetwork(graph, inputs);
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    EXPECT_LE(RelativeError(actual[i], expected[i]), 1e-4) << "output " << i;
  }
  // What Fettle writes again is the same network to others.
  const std::vector<Tensor> exported = peer.LoadBytes(ExportOnnxBytes(graph)).Run(inputs);
  for (size_t i = 0; i < exported.size(); ++i) {
    EXPECT_LE(RelativeError(exported[i], expected[i]), 1e-5) << "output " << i;
  }
}

std::string NameOfCase(const testing::TestParamInfo<std::string>& info) {
  std::string name = info.param;
  for (char& c : name) c = std::isalnum(static_cast<unsigned char>(c)) ? c : '_';
  return name;
}

INSTANTIATE_TEST_SUITE_P(Zoo, NetworkAgreement, testing::ValuesIn(ModelNames()), NameOfCase);

TEST(SmallNetworkAgreement, WithOnnxRuntime) {
  OnnxRuntimePeer peer(InstalledPeer());
  for (const SmallModel& model : SmallModels()) {
    SCOPED_TRACE(model.name);
    ImportOptions options;
    options.batch = model.inputs.at(0).shape.empty() ? 1 : model.inputs[0].shape[0];
    const Graph graph =
        ImportOnnxBytes(std::as_bytes(std::span(model.bytes)), model.name, {}, options);
    const std::vector<Tensor> inputs = RandomTensors(model.inputs, 3);
    const std::vector<Tensor> expected = peer.LoadBytes(model.bytes).Run(inputs);
    const std::vector<Tensor> actual = RunNetwork(graph, inputs);
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i) {
      EXPECT_LE(RelativeError(actual[i], expected[i]), 1e-4) << "output " << i;
    }
  }
}

TEST(SmallNetworkAgreement, InBf16TheAnswerIsClose) {
  const std::string model = MakeModel("resnet20");
  const std::vector<Tensor> inputs = {RandomImage(FactsOf("resnet20"))};
  const Graph graph = Import(model, "resnet20");
  const std::vector<Tensor> exact = RunNetwork(graph, inputs);
  EXPECT_LE(RelativeError(RunNetwork(graph, inputs, DType::kBF16)[0], exact[0]), 0.1);
}

}  // namespace
}  // namespace fettle
