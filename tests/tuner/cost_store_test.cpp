#include "fettle/tuner/cost_store.h"

#include <gtest/gtest.h>

#include <set>

#include "fettle/cost_models/way_text.h"
#include "fettle/runtime/default_choices.h"
#include "tests/runtime/small_graphs.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

class CostStoreTest : public testing::Test {
 protected:
  static Description DeviceNamed(const std::string& cpu) {
    Description device;
    device.fingerprint.cpu_model = cpu;
    return device;
  }

  // What a store of such a device and number of threads finds.
  std::vector<CostRecord> FoundBy(const std::string& cpu, int threads) {
    ImplementationCatalog catalog(primitives_, HostTarget(threads));
    return CostStore(&database_, nullptr, &catalog, DeviceNamed(cpu), "").FindInNetwork();
  }

  // The same for steps that do the same; the last one has not been seen.
  static std::vector<StepTiming> TimingsOf(const Plan& plan) {
    std::vector<StepTiming> steps;
    for (const PlanStep& step : plan.steps) {
      steps.push_back({step.layer, step.implementation.name, 2, std::vector<double>(9, 2)});
    }
    steps.back().samples_ms.clear();
    return steps;
  }

  static size_t TasksSeen(const Plan& plan) {
    std::set<std::string> tasks;
    for (size_t i = 0; i + 1 < plan.steps.size(); ++i) {
      const Implementation& way = plan.steps[i].implementation;
      tasks.insert(
          WayText(KeyOf(plan.steps[i].spec).text, way.name, way.version, way.inputs, way.output));
    }
    return tasks.size();
  }

  const PrimitiveList primitives_ = PrimitiveList::All();
  const ScratchFolder scratch_;
  CostDatabase database_ =
      CostDatabase::Open(scratch_.path() / "costs.db", CostDatabase::Access::kReadWrite);
};

TEST_F(CostStoreTest, WhatStepsTookInTheNetworkIsFoundAgain) {
  const Plan plan = DefaultPlan(ResidualBlock(1), DType::kF32, primitives_, HostTarget(1));
  ASSERT_GT(plan.steps.size(), 2U);
  ImplementationCatalog catalog(primitives_, HostTarget(1));
  CostStore(&database_, nullptr, &catalog, DeviceNamed("a"), "tester")
      .KeepInNetwork(plan, TimingsOf(plan));

  const std::vector<CostRecord> found = FoundBy("a", 1);
  EXPECT_EQ(found.size(), TasksSeen(plan));
  for (const CostRecord& record : found) {
    EXPECT_EQ(record.task.mode, CacheMode::kInNetwork);
    EXPECT_EQ(record.provenance.who, "tester");
    EXPECT_EQ(record.measurement.latency_ms->value, 2);
  }
}

TEST_F(CostStoreTest, StepsAreKeptAFewTimesOnly) {
  const Plan plan = DefaultPlan(ResidualBlock(1), DType::kF32, primitives_, HostTarget(1));
  ImplementationCatalog catalog(primitives_, HostTarget(1));
  for (int store_number = 0; store_number < 2; ++store_number) {
    CostStore store(&database_, nullptr, &catalog, DeviceNamed("a"), "tester");
    for (int i = 0; i < 7; ++i) store.KeepInNetwork(plan, TimingsOf(plan));
  }
  EXPECT_EQ(FoundBy("a", 1).size(), 9 * TasksSeen(plan));
}

TEST_F(CostStoreTest, WhatStepsTookElsewhereIsNot) {
  const Plan plan = DefaultPlan(ResidualBlock(1), DType::kF32, primitives_, HostTarget(1));
  ImplementationCatalog catalog(primitives_, HostTarget(1));
  CostStore store(&database_, nullptr, &catalog, DeviceNamed("a"), "tester");
  store.KeepInNetwork(plan, TimingsOf(plan));
  EXPECT_TRUE(FoundBy("b", 1).empty());
  EXPECT_TRUE(FoundBy("a", 2).empty());
  // Nor does it make a layer known, whose costs alone are others.
  EXPECT_FALSE(store.costs().IsKnown(plan.steps[0].spec, plan.steps[0].implementation));
}

}  // namespace
}  // namespace fettle
