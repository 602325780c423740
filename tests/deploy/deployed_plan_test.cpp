// What is deployed answers like the network it was made from: the shipped models in bf16, on images
// that they were not trained on, and as ONNX files in another runtime.
#include <gtest/gtest.h>

#include <filesystem>

#include "fettle/core/error.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/onnx/export.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/evaluation/evaluation.h"
#include "tests/support/peer.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch_folder.h"
#include "tests/support/test_tensors.h"

namespace fettle {
namespace {

constexpr int64_t kBatch = 20;
constexpr int64_t kBatchesForThePeer = 5;

class DeployedPlanTest : public testing::TestWithParam<const char*> {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists("/usr/share/datasets/fashion-mnist")) {
      GTEST_SKIP() << "Debian's dataset-fashion-mnist is not installed";
    }
    const char* images = kIsSanitized ? "fashion-mnist?limit=200" : "fashion-mnist?limit=1000";
    images_ = LoadDataset(ParseDataSpec(images, DataSplit::kValidation));
    ImportOptions options;
    options.batch = kBatch;
    network_ = ImportOnnx(std::filesystem::path(FETTLE_MODELS) / GetParam(), options);
  }

  // As it comes from the disk again.
  Executor Deployed(DType precision) const {
    const LayerGraph graph = Lower(network_);
    WritePlan(scratch_.path(), DefaultPlan(graph, precision, primitives_, target_));
    return {ReadPlan(scratch_.path()), primitives_, target_};
  }

  const ScratchFolder scratch_;
  Dataset images_;
  Graph network_;
  const PrimitiveList primitives_ = PrimitiveList::All();
  const Target target_ = HostTarget(2);
};

TEST_P(DeployedPlanTest, InBf16SaysWhatF32Says) {
  Executor exact = Deployed(DType::kF32), deployed = Deployed(DType::kBF16);
  ASSERT_LT(deployed.memory().weights, exact.memory().weights);
  const Evaluation expected = Evaluate(&exact, images_), actual = Evaluate(&deployed, images_);
  EXPECT_GT(expected.top1.value, 0.9);
  EXPECT_GE(Compare(expected, actual).agreement.value, 0.99);
}

TEST_P(DeployedPlanTest, IsTheNetworkThatIsExported) {
  Executor executor = Deployed(DType::kF32);
  OnnxRuntimePeer peer(InstalledPeer());
  OnnxRuntimeSession session = peer.LoadBytes(ExportOnnxBytes(network_));
  for (int64_t batch = 0; batch < kBatchesForThePeer; ++batch) {
    const std::vector<Tensor> inputs = {Images(images_, batch * kBatch, kBatch)};
    EXPECT_LE(RelativeError(executor.Run(inputs).at(0), session.Run(inputs).at(0)), 1e-4);
  }
}

INSTANTIATE_TEST_SUITE_P(ShippedModels, DeployedPlanTest,
                         testing::Values("resnet20.onnx", "wrn-16-1.onnx"), [](const auto& model) {
                           return std::string(model.index == 0 ? "resnet20" : "wrn_16_1");
                         });

}  // namespace
}  // namespace fettle
