#include "tests/support/model_zoo.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <cmath>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/network/onnx/import.h"
#include "tests/support/peer.h"
#include "tests/support/sanitized.h"
#include "tests/support/test_tensors.h"

namespace fettle {
namespace {

onnx::ModelProto Parsed(const std::string& bytes) {
  onnx::ModelProto model;
  EXPECT_TRUE(model.ParseFromString(bytes));
  return model;
}

// Floats among the initialisers, without batch norm's mean and variance.
int64_t CountParameters(const onnx::ModelProto& model) {
  std::set<std::string> statistics;
  for (const onnx::NodeProto& node : model.graph().node()) {
    if (node.op_type() == "BatchNormalization") statistics.insert({node.input(3), node.input(4)});
  }
  int64_t count = 0;
  for (const onnx::TensorProto& tensor : model.graph().initializer()) {
    EXPECT_EQ(tensor.data_type(), onnx::TensorProto::FLOAT);
    if (statistics.contains(tensor.name())) continue;
    int64_t elements = 1;
    for (const int64_t extent : tensor.dims()) elements *= extent;
    EXPECT_EQ(tensor.raw_data().size(), elements * sizeof(float));
    count += elements;
  }
  return count;
}

std::vector<std::string> ExtentsOf(const onnx::ValueInfoProto& info) {
  std::vector<std::string> extents;
  for (const auto& dim : info.type().tensor_type().shape().dim()) {
    extents.push_back(dim.has_dim_param() ? dim.dim_param() : std::to_string(dim.dim_value()));
  }
  return extents;
}

// FNV-1a.
uint64_t Hash(const std::string& bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return hash;
}

// The root of the mean square.
double Magnitude(const Tensor& tensor) {
  double sum = 0;
  for (const float value : tensor.values<float>()) sum += static_cast<double>(value) * value;
  return std::sqrt(sum / static_cast<double>(tensor.num_elements()));
}

void ExpectUniqueNames(const onnx::GraphProto& graph) {
  std::set<std::string> nodes;
  std::set<std::string> values = {"input"};
  for (const auto& tensor : graph.initializer()) {
    EXPECT_TRUE(values.insert(tensor.name()).second) << tensor.name();
  }
  for (const onnx::NodeProto& node : graph.node()) {
    EXPECT_TRUE(nodes.insert(node.name()).second) << node.name();
    for (const std::string& input : node.input()) EXPECT_TRUE(values.contains(input)) << input;
    for (const std::string& output : node.output()) EXPECT_TRUE(values.insert(output).second);
  }
}

// Asks for the results of every layer as outputs too.
std::vector<std::string> WatchLayers(onnx::GraphProto* graph) {
  const std::set<std::string> kinds = {"BatchNormalization", "Conv", "Gemm", "MatMul", "Add"};
  std::vector<std::string> watched;
  for (const onnx::NodeProto& node : graph->node()) {
    if (!kinds.contains(node.op_type()) || node.output(0) == "output") continue;
    watched.push_back(node.output(0));
    graph->add_output()->set_name(node.output(0));
  }
  return watched;
}

class EachModel : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (TakesMinutesSanitized(name())) GTEST_SKIP() << "takes minutes under the sanitizers";
  }
  const std::string& name() const { return GetParam(); }
  ModelFacts facts() const { return FactsOf(name()); }
  Tensor Images(int64_t count) const {
    return RandomImages({count, facts().channels, facts().extent, facts().extent}, 1);
  }
};

TEST_P(EachModel, IsAsItSays) {
  const onnx::ModelProto model = Parsed(MakeModel(name(), {.batch = kDynamicBatch}));
  EXPECT_EQ(CountParameters(model), facts().parameters);
  ExpectUniqueNames(model.graph());

  const std::string extent = std::to_string(facts().extent);
  ASSERT_EQ(model.graph().input_size(), 1);
  EXPECT_EQ(model.graph().input(0).name(), "input");
  EXPECT_THAT(ExtentsOf(model.graph().input(0)), testing::ElementsAre("N", "3", extent, extent));
  ASSERT_EQ(model.graph().output_size(), 1);
  EXPECT_EQ(model.graph().output(0).name(), "output");
  EXPECT_THAT(ExtentsOf(model.graph().output(0)),
              testing::ElementsAre("N", std::to_string(facts().classes)));
}

// ONNX Runtime takes it; activations neither explode nor die, and what comes out depends on what
// goes in.
TEST_P(EachModel, Runs) {
  onnx::ModelProto model = Parsed(MakeModel(name(), {.batch = kDynamicBatch}));
  const std::vector<std::string> layers = WatchLayers(model.mutable_graph());
  ASSERT_FALSE(layers.empty());
  OnnxRuntimePeer peer(InstalledPeer());
  const Tensor images = Images(2);
  const std::vector<Tensor> results = peer.LoadBytes(model.SerializeAsString()).Run({{images}});
  ASSERT_EQ(results.size(), layers.size() + 1);
  for (size_t i = 0; i < layers.size(); ++i) {
    const double magnitude = Magnitude(results[i + 1]);
    EXPECT_TRUE(magnitude > 0.03 && magnitude < 30) << layers[i] << ": " << magnitude;
  }

  const Tensor& y = results[0];
  ASSERT_EQ(y.shape(), (Shape{2, facts().classes}));
  const auto classes = static_cast<size_t>(facts().classes);
  double difference = 0;
  double sum = 0;
  for (size_t i = 0; i < classes; ++i) {
    const double first = y.values<float>()[i];
    difference += std::abs(first - y.values<float>()[i + classes]);
    sum += std::abs(first);
  }
  EXPECT_GT(difference, 0.01 * sum);

  if (facts().parameters > 30'000'000) return;  // to keep the test short
  const std::string closed = MakeModel(name(), {.batch = 2});
  EXPECT_LT(RelativeError(peer.LoadBytes(closed).Run({{images}}).at(0), y), 1e-4);
}

TEST_P(EachModel, IsImported) {
  const std::string bytes = MakeModel(name(), {.batch = kDynamicBatch});
  const Graph graph = ImportOnnxBytes(std::as_bytes(std::span(bytes)), name(), {}, {.batch = 2});
  ASSERT_EQ(graph.outputs().size(), 1U);
  EXPECT_EQ(TypeText(graph.value(graph.outputs()[0]).type), Text("f32[2x", facts().classes, "]"));
}

INSTANTIATE_TEST_SUITE_P(ModelZoo, EachModel, testing::ValuesIn(ModelNames()),
                         [](const auto& model) { return model.param; });

TEST(ModelZooTest, TheSameSeedGivesTheSameBytes) {
  for (const char* name : {"resnet20", "wrn_16_1", "shufflenet_g4", "squeezenet1_1"}) {
    EXPECT_EQ(MakeModel(name, {.seed = 7}), MakeModel(name, {.seed = 7})) << name;
    EXPECT_NE(MakeModel(name, {.seed = 7}), MakeModel(name, {.seed = 8})) << name;
  }
}

// On every machine and from one version to the next: results that were recorded depend on it.
TEST(ModelZooTest, TheBytesAreTheseBytes) {
  EXPECT_EQ(Hash(MakeModel("wrn_16_1", {.seed = 1})), 17206750327065242912u);
  EXPECT_EQ(Hash(MakeModel("mobilenet_v2", {.seed = 1, .batch = kDynamicBatch})),
            10419490224422615115u);
}

TEST(ModelZooTest, WeightsDependOnNeitherBatchNorOpset) {
  const onnx::ModelProto one = Parsed(MakeModel("resnet20", {.batch = 1, .opset = 17}));
  const onnx::ModelProto other =
      Parsed(MakeModel("resnet20", {.batch = kDynamicBatch, .opset = 7}));
  ASSERT_EQ(one.graph().initializer_size(), other.graph().initializer_size());
  for (int i = 0; i < one.graph().initializer_size(); ++i) {
    EXPECT_EQ(one.graph().initializer(i).SerializeAsString(),
              other.graph().initializer(i).SerializeAsString());
  }
}

// Each opset writes some operators in its own way; all mean the same.
TEST(ModelZooTest, EveryOpsetComputesTheSame) {
  OnnxRuntimePeer peer(InstalledPeer());
  for (const char* name : {"resnet20", "squeezenet1_1", "shufflenet_g4", "mobilenet_v1"}) {
    const int64_t extent = FactsOf(name).extent;
    const Tensor images = RandomImages({1, 3, extent, extent}, 1);
    const Tensor want = peer.LoadBytes(MakeModel(name)).Run({{images}}).at(0);
    for (const int opset : {7, 8, 9, 10, 11, 12, 13, 18, 21}) {
      const std::string bytes = MakeModel(name, {.batch = kDynamicBatch, .opset = opset});
      EXPECT_EQ(Parsed(bytes).opset_import(0).version(), opset);
      EXPECT_LT(RelativeError(peer.LoadBytes(bytes).Run({{images}}).at(0), want), 1e-4)
          << name << " in opset " << opset;
    }
  }
}

TEST(ModelZooTest, AnUnknownNameIsAnErrorThatListsTheKnown) {
  try {
    MakeModel("resnet19");
    FAIL() << "no error";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr("'resnet19'"),
                                             testing::HasSubstr("resnet18, resnet20")));
  }
}

}  // namespace
}  // namespace fettle
