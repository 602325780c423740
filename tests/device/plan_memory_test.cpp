// Planned and measured memory of whole networks, in a worker process.
#include <gtest/gtest.h>

#include <filesystem>
#include <span>

#include "fettle/deploy/lower.h"
#include "fettle/device/worker_client.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_file.h"
#include "tests/support/model_zoo.h"
#include "tests/support/sanitized.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

constexpr std::chrono::seconds kAmple{300};

// What docs/measurement.md promises of large networks, and what it explains the rest by in small
// ones: the kernels themselves, their generated code and descriptions.
constexpr double kShare = 0.05;
constexpr double kBytesOfAKernel = 96 << 10;

class PlanMemoryTest : public testing::Test {
 protected:
  void SetUp() override {
    if (kIsSanitized) GTEST_SKIP() << "the address sanitizer keeps what is freed";
  }

  // Adds a network's plan, with the default primitives, to what is measured.
  void Add(const std::string& network, DType precision) {
    const std::string model = MakeModel(network);
    const LayerGraph graph = Lower(ImportOnnxBytes(std::as_bytes(std::span(model)), network));
    const PrimitiveList primitives = PrimitiveList::All();
    const Target target = HostTarget(1);
    const Plan plan = DefaultPlan(graph, precision, primitives, target);
    const std::filesystem::path folder = scratch_.path() / Text(network, "-", NameOf(precision));
    std::filesystem::create_directories(folder);
    WritePlan(folder, plan);
    request_.folders.push_back(folder.string());
    kernels_.push_back(static_cast<double>(plan.steps.size()));
  }

  // Measured in a worker that has done nothing else.
  std::vector<PlanTiming> Measure() {
    request_.options.max_rounds = 1;  // how long they take is not the question
    request_.options.warm_up_budget = std::chrono::milliseconds(1);
    request_.options.contender_budget = std::chrono::milliseconds(1);
    WorkerClient worker({{FETTLE_FAULTY_WORKER, "real"}, {}, kAmple});
    const std::vector<PlanTiming> plans = worker.MeasurePlans(request_, kAmple).plans;
    for (const PlanTiming& plan : plans) {
      EXPECT_GT(plan.weight_bytes, 0) << plan.timing.measurement.detail;
    }
    return plans;
  }

  static double Planned(const PlanTiming& plan) {
    return static_cast<double>(plan.arena_bytes + plan.input_output_bytes + plan.weight_bytes);
  }

  PlansRequest request_;
  std::vector<double> kernels_;  // of each plan

 private:
  const ScratchFolder scratch_;
};

TEST_F(PlanMemoryTest, OfALargeNetworkIsWithinFivePercent) {
  Add("resnet18", DType::kF32);
  const PlanTiming plan = Measure().at(0);
  if (!plan.measured_bytes) GTEST_SKIP() << "the kernel does not tell";
  EXPECT_GT(plan.weight_bytes, 40 << 20);
  EXPECT_NEAR(static_cast<double>(*plan.measured_bytes), Planned(plan), kShare * Planned(plan))
      << "arena " << plan.arena_bytes << ", inputs and outputs " << plan.input_output_bytes
      << ", weights " << plan.weight_bytes;
  // While it is read, weights are there twice: the file's bytes beside the tensors made of them, or
  // the tensors beside what kernels make of them.
  EXPECT_GT(*plan.loading_bytes, 3 * plan.weight_bytes / 2);
  EXPECT_LT(*plan.loading_bytes, 9 * plan.weight_bytes / 4);
}

// What one plan leaves behind is not counted to the next.
TEST_F(PlanMemoryTest, OfPlansInOneProcessIsEachItsOwn) {
  Add("resnet18", DType::kF32);
  Add("resnet18", DType::kBF16);
  Add("googlenet", DType::kF32);
  Add("mobilenet_v1", DType::kF32);
  const std::vector<PlanTiming> plans = Measure();
  ASSERT_EQ(plans.size(), 4u);
  if (!plans[0].measured_bytes) GTEST_SKIP() << "the kernel does not tell";
  for (size_t i = 0; i < plans.size(); ++i) {
    SCOPED_TRACE(request_.folders[i]);
    const double rest = static_cast<double>(*plans[i].measured_bytes) - Planned(plans[i]);
    EXPECT_GT(rest, -0.01 * Planned(plans[i]));
    EXPECT_LT(rest, kBytesOfAKernel * kernels_[i]);
  }
}

}  // namespace
}  // namespace fettle
