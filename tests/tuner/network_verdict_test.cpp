#include "fettle/tuner/network_verdict.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "fettle/core/error.h"
#include "fettle/runtime/plan_file.h"
#include "tests/runtime/small_graphs.h"
#include "tests/support/scratch_folder.h"

namespace fettle {
namespace {

// Alone, all of our own take a millisecond, and all of others 1.1; in one layout and without
// Winograd's many forms, so that nothing else matters.
class IsolatedCosts : public LayerCosts {
 public:
  std::optional<Estimate> Cost(const LayerSpec& spec, const Implementation& way) const override {
    if (std::holds_alternative<Reorder>(spec.op)) return Estimate{10, 10, 10, {}};
    if (way.output != Layout::kChannelsLast || way.name.find("winograd") != way.name.npos) {
      return std::nullopt;
    }
    const double ms = way.name.starts_with("own.") ? 1.0 : 1.1;
    return Estimate{ms, ms, ms, EstimateOrigin::kMeasured};
  }
};

// A device on which everything of our own takes `own_factor` times as long within a network.
class ScriptedDevice {
 public:
  explicit ScriptedDevice(double own_factor) : own_factor_(own_factor) {}

  PlansAnswer Time(const PlansRequest& request) {
    PlansAnswer answer;
    for (const std::string& folder : request.folders) {
      const Plan plan = ReadPlan(folder);
      PlanTiming timing;
      double sum = 0;
      for (const PlanStep& step : plan.steps) {
        const double isolated = costs_.Cost(step.spec, step.implementation)->ms;
        const bool is_own = step.implementation.name.starts_with("own.");
        const double ms = isolated * (is_own ? own_factor_ : 1);
        timing.steps.push_back({step.layer, step.implementation.name, ms, {ms}});
        sum += ms;
      }
      const bool fails = fails_ || (foremost_fails_ && answer.plans.empty() && requests_ == 0);
      if (!fails) timing.timing.measurement.samples_ms = {sum, sum, sum};
      answer.plans.push_back(std::move(timing));
    }
    ++requests_;
    return answer;
  }

  void Fail() { fails_ = true; }
  void FailForemost() { foremost_fails_ = true; }  // the first plan of the first request
  int requests() const { return requests_; }

 private:
  IsolatedCosts costs_;
  double own_factor_;
  bool fails_ = false, foremost_fails_ = false;
  int requests_ = 0;
};

class NetworkVerdictTest : public testing::Test {
 protected:
  NetworkVerdict::Verdict Best(ScriptedDevice* device,
                               const std::vector<std::vector<LayerChoice>>& also = {}) {
    NetworkVerdict verdict(&catalog_, &costs_,
                           [device](const PlansRequest& request) { return device->Time(request); },
                           scratch_.path(), {});
    const LayerGraph graph = ResidualBlock(1);
    return verdict.Best(graph, AllowedPrecisions(graph, {DType::kF32}, {DType::kF32}), also);
  }

  static bool IsAllOurOwn(const Plan& plan) {
    for (const PlanStep& step : plan.steps) {
      const bool is_layer = !std::holds_alternative<Reorder>(step.spec.op);
      if (is_layer && !step.implementation.name.starts_with("own.")) return false;
    }
    return true;
  }

  const ScratchFolder scratch_;
  const PrimitiveList primitives_ = PrimitiveList::All();
  ImplementationCatalog catalog_{primitives_, HostTarget(1)};
  IsolatedCosts isolated_;
  NetworkCosts costs_{isolated_};
};

TEST_F(NetworkVerdictTest, KeepsWhatIsolatedTimesPutFirstWhereTheNetworkAgrees) {
  ScriptedDevice device(1);
  const NetworkVerdict::Verdict verdict = Best(&device);
  EXPECT_TRUE(IsAllOurOwn(verdict.plan));
  EXPECT_DOUBLE_EQ(verdict.gain, 1);
  EXPECT_GE(verdict.timed, 3);
}

// Among the first three no more than one layer is done otherwise; what was learned of those does
// the rest.
TEST_F(NetworkVerdictTest, LearnsWhatIsolatedTimesMisrank) {
  ScriptedDevice device(3);
  const NetworkVerdict::Verdict verdict = Best(&device);
  EXPECT_GT(verdict.gain, 1.3);
  for (const PlanStep& step : verdict.plan.steps) {
    if (MacsOf(step.spec) == 0) continue;
    EXPECT_FALSE(step.implementation.name.starts_with("own.")) << step.implementation.name;
  }
  EXPECT_GT(costs_.FactorOf("own.im2col_conv"), costs_.FactorOf("onednn.conv"));
}

TEST_F(NetworkVerdictTest, WhereNothingCanBeTimedTheCheapestIsTaken) {
  ScriptedDevice device(1);
  device.Fail();
  const NetworkVerdict::Verdict verdict = Best(&device);
  EXPECT_TRUE(IsAllOurOwn(verdict.plan));
  EXPECT_EQ(device.requests(), 1);
}

TEST_F(NetworkVerdictTest, GoesOnWithoutAPlanThatFails) {
  ScriptedDevice sound(1), fails(1);
  const NetworkVerdict::Verdict best = Best(&sound);
  fails.FailForemost();
  const NetworkVerdict::Verdict other = Best(&fails);
  EXPECT_GE(other.timed, 3);
  const auto names = [](const Plan& plan) {
    std::string text;
    for (const PlanStep& step : plan.steps) text += step.implementation.name + ' ';
    return text;
  };
  EXPECT_NE(names(other.plan), names(best.plan));
}

TEST_F(NetworkVerdictTest, GivenChoicesTakePartWhereTheirCostsAreKnown) {
  const LayerGraph graph = ResidualBlock(1);
  std::vector<LayerChoice> given;  // far from the cheapest
  for (const Layer& layer : graph.layers) {
    const std::vector<Implementation>& all = catalog_.Of(layer.spec);
    const auto last = std::find_if(all.rbegin(), all.rend(), [&](const Implementation& each) {
      return costs_.Cost(layer.spec, each).has_value();
    });
    ASSERT_NE(last, all.rend());
    given.push_back({DType::kF32, *last});
  }
  ScriptedDevice alone(1), joined(1);
  const int without = Best(&alone).timed;
  EXPECT_GT(Best(&joined, {given}).timed, without);

  given.front().implementation.output = Layout::kPlain;  // costs nobody knows
  ScriptedDevice unknown(1);
  EXPECT_EQ(Best(&unknown, {given}).timed, without);
}

TEST_F(NetworkVerdictTest, LeavesNoFilesBehind) {
  ScriptedDevice device(1);
  Best(&device);
  EXPECT_FALSE(std::filesystem::exists(scratch_.path() / "verdict"));
}

}  // namespace
}  // namespace fettle
