// Plans measured against one another, some of which fail or take the worker down.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "fettle/core/error.h"
#include "fettle/device/worker_client.h"
#include "fettle/runtime/plan_file.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;

constexpr seconds kAmple{60};

// A worker mode "plans" runs plans of fake primitives (faulty_worker.cpp).
class MeasurePlansTest : public testing::Test {
 protected:
  MeasurePlansTest() : client_({{FETTLE_FAULTY_WORKER, "plans"}, {}, kAmple}) {}

  // A plan of one step, an activation computed by the fake primitive of that name.
  std::string WritePlanOf(const std::string& name) const {
    Plan plan;
    PlanStep step;
    step.layer = "relu";
    step.spec = *ParseLayerSpec("activation(kind=relu,alpha=0,beta=0) in=f32[1x9] out=f32[1x9]");
    step.implementation = {"fake:" + name, 3, {Layout::kPlain}, Layout::kPlain, {}};
    step.inputs = {0};
    step.output = 1;
    plan.tensors = {{"x", step.spec.inputs[0], Layout::kPlain, nullptr},
                    {"y", step.spec.output, Layout::kPlain, nullptr}};
    plan.steps = {step};
    plan.inputs = {0};
    plan.outputs = {1};
    const std::filesystem::path folder = scratch_.path() / name;
    std::filesystem::create_directories(folder);
    WritePlan(folder, plan);
    return folder.string();
  }

  PlansAnswer Measure(const std::vector<std::string>& names,
                      std::chrono::nanoseconds timeout = kAmple) {
    PlansRequest request;
    for (const std::string& name : names) {
      request.folders.push_back(name == "missing" ? (scratch_.path() / name).string()
                                                  : WritePlanOf(name));
    }
    request.options.max_rounds = 12;
    request.options.warm_up_budget = milliseconds(1);
    // The rounds end it: time may run out before there are samples enough for a latency.
    request.options.contender_budget = kAmple;
    request.wants_steps = true;
    return client_.MeasurePlans(request, timeout);
  }

  static std::vector<MeasurementStatus> StatusesOf(const PlansAnswer& answer) {
    std::vector<MeasurementStatus> statuses;
    for (const PlanTiming& plan : answer.plans) {
      const MeasurementStatus status = plan.timing.measurement.status;
      // How steady this machine is is not the question.
      statuses.push_back(status == MeasurementStatus::kUnstable ? MeasurementStatus::kOk : status);
    }
    return statuses;
  }

  const ScratchFolder scratch_;
  WorkerClient client_;
};

using enum MeasurementStatus;

TEST_F(MeasurePlansTest, AllAreMeasuredByOneWorker) {
  const PlansAnswer answer = Measure({"sound", "other"});
  EXPECT_EQ(StatusesOf(answer), (std::vector{kOk, kOk}));
  EXPECT_EQ(answer.plans[1].steps.at(0).implementation, "fake:other");
  EXPECT_EQ(answer.plans[1].weight_bytes, 77);
  EXPECT_EQ(client_.starts(), 1);
}

TEST_F(MeasurePlansTest, WhatCannotBeReadOrPreparedFailsAlone) {
  const PlansAnswer answer = Measure({"sound", "missing", "unheard_of", "unpreparable", "other"});
  EXPECT_EQ(StatusesOf(answer), (std::vector{kOk, kFailed, kFailed, kFailed, kOk}));
  EXPECT_THAT(answer.plans[1].timing.measurement.detail, HasSubstr("plan.json"));
  EXPECT_THAT(answer.plans[2].timing.measurement.detail, HasSubstr("fake:unheard_of"));
  EXPECT_EQ(answer.plans[3].timing.measurement.detail, "out of memory");
  EXPECT_EQ(client_.starts(), 1);
}

TEST_F(MeasurePlansTest, WhatThrowsFailsAlone) {
  const PlansAnswer answer = Measure({"throws", "sound", "throws_later"});
  EXPECT_EQ(StatusesOf(answer), (std::vector{kFailed, kOk, kFailed}));
  EXPECT_EQ(answer.plans[0].timing.measurement.detail, "no such luck");
  EXPECT_EQ(answer.plans[2].timing.measurement.detail, "no such luck");
  EXPECT_EQ(client_.starts(), 1);
}

TEST_F(MeasurePlansTest, ACrashCostsOnlyThePlanThatCrashed) {
  const PlansAnswer answer = Measure({"sound", "crashes", "other"});
  EXPECT_EQ(StatusesOf(answer), (std::vector{kOk, kCrashed, kOk}));
  EXPECT_THAT(answer.plans[1].timing.measurement.detail, HasSubstr("signal 11"));
  EXPECT_THAT(answer.plans[1].timing.measurement.detail, HasSubstr("while preparing it"));
  EXPECT_EQ(client_.starts(), 2);
}

TEST_F(MeasurePlansTest, ACrashInTheRaceIsFoundByAskingForEachAlone) {
  const PlansAnswer answer = Measure({"sound", "crashes_later", "other"});
  EXPECT_EQ(StatusesOf(answer), (std::vector{kOk, kCrashed, kOk}));
}

// The race is of those that could be prepared: what is blamed is counted in the request.
TEST_F(MeasurePlansTest, FailuresAndCrashesDoNotMixUpThePlans) {
  const PlansAnswer answer = Measure({"missing", "sound", "throws", "crashes_later"});
  EXPECT_EQ(StatusesOf(answer), (std::vector{kFailed, kOk, kFailed, kCrashed}));
}

TEST_F(MeasurePlansTest, AHangIsATimeOut) {
  EXPECT_EQ(StatusesOf(Measure({"hangs", "sound"}, seconds(3))), (std::vector{kTimedOut, kOk}));
}

}  // namespace
}  // namespace fettle
