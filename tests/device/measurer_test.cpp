#include "fettle/device/measurer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <stdexcept>
#include <utility>

#include "fettle/core/random.h"
#include "tests/device/scripted_environment.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

class MeasurerTest : public testing::Test {
 protected:
  // A contender whose cost is multiplied by the machine's pace, and scattered.
  ScriptedContender::Cost Scattered(double microseconds, double relative_scatter) {
    return [=, this](int) {
      return microseconds * pace() * (1 + relative_scatter * (random_.Uniform() - 0.5));
    };
  }

  double Seconds() { return std::chrono::duration<double>(environment_.Now()).count() - 1; }

  std::vector<Timing> Measure(std::vector<Contender*> contenders) {
    ScriptedContender reference(environment_, [this](int) { return 50 * reference_pace(); });
    ScriptedContender sweep(environment_, 10'000);
    Measurer measurer(environment_, reference, sweep);
    std::vector<Timing> timings = measurer.Measure(contenders, options_, starting_);
    sweeps_ = sweep.runs();
    return timings;
  }
  Measurement MeasureOne(ScriptedContender contender) {
    return Measure({&contender}).front().measurement;
  }

  ScriptedEnvironment environment_;
  TimingOptions options_;
  Random random_{7};
  std::function<double()> pace = [] { return 1.0; };
  std::function<double()> reference_pace = [this] { return pace(); };
  std::function<void(size_t)> starting_;
  int sweeps_ = 0;
};

TEST_F(MeasurerTest, SteadyWorkSettles) {
  ScriptedContender contender(environment_, Scattered(100, 0.02));
  const Timing timing = Measure({&contender}).front();
  const Measurement& measurement = timing.measurement;
  EXPECT_EQ(measurement.status, MeasurementStatus::kOk) << measurement.detail;
  EXPECT_NEAR(measurement.latency_ms->value, 0.1, 0.001);
  EXPECT_LE(measurement.latency_ms->high - measurement.latency_ms->low, 0.001);
  EXPECT_GE(measurement.samples_ms.size(), 11u);
  EXPECT_NEAR(measurement.cpu_ms, 0.1, 0.001);
  EXPECT_EQ(measurement.dropped_rounds, 0);
  EXPECT_EQ(measurement.mode, CacheMode::kHot);
  EXPECT_EQ(measurement.detail, "");
  EXPECT_FALSE(timing.waited_ms.has_value());
  EXPECT_EQ(sweeps_, 0);
}

TEST_F(MeasurerTest, StopsAsSoonAsItMay) {
  EXPECT_EQ(MeasureOne({environment_, 100.0}).samples_ms.size(), 11u);
}

TEST_F(MeasurerTest, FirstSlowRunsAreWarmUp) {
  // Ten times slower at first, and settling over 600 runs.
  const auto cost = [](int run) { return 100 * (1 + 9 * std::exp(-run / 100.0)); };
  const Measurement measurement = MeasureOne({environment_, cost});
  EXPECT_EQ(measurement.status, MeasurementStatus::kOk);
  EXPECT_NEAR(measurement.latency_ms->value, 0.1, 0.001);
  for (const double sample : measurement.samples_ms) EXPECT_LT(sample, 0.105);
}

TEST_F(MeasurerTest, WarmUpEndsAtItsBudget) {
  options_.warm_up_budget = milliseconds(100);
  options_.max_rounds = 12;
  // Never settles: ever slower.
  ScriptedContender contender(environment_, [](int run) { return 100 + run; });
  starting_ = [&](size_t) { EXPECT_EQ(contender.runs(), 0); };
  const Measurement measurement = Measure({&contender}).front().measurement;
  EXPECT_EQ(measurement.status, MeasurementStatus::kUnstable);
  EXPECT_EQ(measurement.samples_ms.size(), 12u);
}

TEST_F(MeasurerTest, BatchesAreLongEnoughForTheClock) {
  environment_.tick = nanoseconds(10'000);  // 1000 of them are 10 ms, more than 1 ms
  ScriptedContender contender(environment_, 1.0);
  const Measurement measurement = Measure({&contender}).front().measurement;
  EXPECT_EQ(measurement.samples_ms.size(), 11u);
  EXPECT_GE(contender.runs(), 11 * 10'000);
}

TEST_F(MeasurerTest, ABatchThatBecameTooShortIsRepeatedLonger) {
  // After the warm-up it is forty times faster than before.
  bool is_fast = false;
  ScriptedContender slow(environment_, [&](int) { return is_fast ? 1.0 : 40.0; });
  ScriptedContender last(environment_, 100.0);
  starting_ = [&](size_t contender) { is_fast = contender == 1; };
  const auto timings = Measure({&slow, &last});
  EXPECT_DOUBLE_EQ(timings[0].measurement.latency_ms->value, 0.001);
  EXPECT_GE(slow.runs(), 11 * 1000);
}

TEST_F(MeasurerTest, WhatScattersTooMuchIsUnstableWithItsInterval) {
  options_.max_rounds = 40;
  const Measurement measurement =
      MeasureOne({environment_, [this](int) { return random_.Chance(0.5) ? 2000.0 : 3000.0; }});
  EXPECT_EQ(measurement.status, MeasurementStatus::kUnstable);
  EXPECT_EQ(measurement.samples_ms.size(), 40u);
  ASSERT_TRUE(measurement.has_latency());
  EXPECT_GT(measurement.latency_ms->high - measurement.latency_ms->low, 0.02);
  EXPECT_NE(measurement.detail.find("% wide after 40 samples"), std::string::npos)
      << measurement.detail;
}

TEST_F(MeasurerTest, OutliersAreKeptAndDoNotMoveTheMedian) {
  options_.relative_width = 0.02;
  const Measurement measurement = MeasureOne(
      {environment_, [this](int) {
         return random_.Chance(0.05) ? 20'000.0 : 2000.0 * (1 + 0.001 * random_.Uniform());
       }});
  EXPECT_EQ(measurement.status, MeasurementStatus::kOk);
  EXPECT_NEAR(measurement.latency_ms->value, 2, 0.01);
  options_.min_samples = 100;  // enough for some to be there
  const Measurement longer = MeasureOne({environment_, [this](int) {
                                           return random_.Chance(0.05)
                                                      ? 20'000.0
                                                      : 2000.0 * (1 + 0.001 * random_.Uniform());
                                         }});
  EXPECT_GE(std::count_if(longer.samples_ms.begin(), longer.samples_ms.end(),
                          [](double ms) { return ms > 19; }),
            1);
}

TEST_F(MeasurerTest, RoundsInWhichTheMachineWasSlowerAreDropped) {
  // A third of the time at half the speed, in turns of 20 ms.
  pace = [this] { return std::fmod(Seconds(), 0.06) < 0.02 ? 2.0 : 1.0; };
  options_.min_samples = 40;
  const Measurement measurement = MeasureOne({environment_, Scattered(1000, 0.001)});
  EXPECT_EQ(measurement.status, MeasurementStatus::kOk) << measurement.detail;
  EXPECT_NEAR(measurement.latency_ms->value, 1, 0.01);
  EXPECT_GT(measurement.dropped_rounds, 5);
  EXPECT_LE(measurement.reference_drift, 1.05 * 1.05);
}

TEST_F(MeasurerTest, AfterALastingChangeTheLongerStateCounts) {
  const double change = Seconds() + 0.1;
  pace = [=, this] { return Seconds() < change ? 1.0 : 1.5; };
  options_.min_samples = 100;
  const Measurement measurement = MeasureOne({environment_, Scattered(1000, 0.001)});
  EXPECT_EQ(measurement.status, MeasurementStatus::kOk);
  EXPECT_NEAR(measurement.latency_ms->value, 1.5, 0.01);
  EXPECT_GT(measurement.dropped_rounds, 10);
}

TEST_F(MeasurerTest, WhereTheMachineNeverRestsTheBestRoundsAreGivenAsUnstable) {
  reference_pace = [this] { return 1 + random_.Uniform() * 5; };
  pace = [] { return 1.0; };
  options_.max_rounds = 30;
  options_.min_batch = nanoseconds(1);
  options_.min_ticks = 1;
  options_.max_drift = 0.001;
  const Measurement measurement = MeasureOne({environment_, 1000.0});
  EXPECT_EQ(measurement.status, MeasurementStatus::kUnstable);
  EXPECT_EQ(measurement.samples_ms.size(), 11u);
  EXPECT_EQ(measurement.dropped_rounds, 19);
  EXPECT_TRUE(measurement.has_latency());
  EXPECT_GT(measurement.reference_drift, 1.001);
  EXPECT_NE(measurement.detail.find("with the reference kernel off by more than 0.1 %"),
            std::string::npos)
      << measurement.detail;
}

TEST_F(MeasurerTest, RanksRightlyWhileThePaceWanders) {
  // The pace swings by 4 % each way over half a second, more than the 2 % between the contenders.
  pace = [this] { return 1 + 0.04 * std::sin(Seconds() * 12.566); };
  options_.max_drift = 0.2;  // nothing is dropped: the rounds alone must do it
  options_.min_samples = 60;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    options_.seed = seed;
    ScriptedContender fast(environment_, Scattered(100, 0.01));
    ScriptedContender slow(environment_, Scattered(102, 0.01));
    ScriptedContender slowest(environment_, Scattered(104, 0.01));
    const auto timings = Measure({&slow, &slowest, &fast});
    EXPECT_LT(timings[2].measurement.latency_ms->value, timings[0].measurement.latency_ms->value);
    EXPECT_LT(timings[0].measurement.latency_ms->value, timings[1].measurement.latency_ms->value);
  }
}

TEST_F(MeasurerTest, TheSettledRestUnlessTheyMayBeEquals) {
  options_.max_rounds = 50;
  ScriptedContender far(environment_, 500.0);
  ScriptedContender equal(environment_, 2000.0);
  ScriptedContender noisy(environment_, Scattered(2000, 0.3));
  const auto timings = Measure({&far, &equal, &noisy});
  EXPECT_EQ(timings[0].measurement.samples_ms.size(), 11u);
  EXPECT_EQ(timings[2].measurement.samples_ms.size(), 50u);
  EXPECT_GT(timings[1].measurement.samples_ms.size(), 11u);
  EXPECT_EQ(timings[1].measurement.status, MeasurementStatus::kOk);
}

TEST_F(MeasurerTest, AContenderIsStoppedAtItsBudget) {
  options_.contender_budget = seconds(2);
  ScriptedContender slow(environment_, 900'000.0);
  ScriptedContender fast(environment_, 1000.0);
  const auto timings = Measure({&slow, &fast});
  EXPECT_EQ(timings[0].measurement.status, MeasurementStatus::kUnstable);
  EXPECT_EQ(timings[0].measurement.samples_ms.size(), 6u);  // what an interval needs
  EXPECT_TRUE(timings[0].measurement.has_latency());
  EXPECT_EQ(timings[1].measurement.status, MeasurementStatus::kOk);
}

TEST_F(MeasurerTest, AContenderFarOverItsBudgetHasNoLatency) {
  options_.contender_budget = seconds(1);
  const Measurement measurement = MeasureOne({environment_, 2e6});
  EXPECT_EQ(measurement.samples_ms.size(), 2u);
  EXPECT_FALSE(measurement.has_latency());
  EXPECT_EQ(measurement.detail, "only 2 samples before the time was up");
}

TEST_F(MeasurerTest, AHotBatchIsNotChargedForTheCachesThatOthersHad) {
  int last = -1;
  const auto after_another_is_slow = [&](int who) {
    return [&last, who](int) { return std::exchange(last, who) == who ? 400.0 : 900.0; };
  };
  ScriptedContender a(environment_, after_another_is_slow(0));
  ScriptedContender b(environment_, after_another_is_slow(1));
  for (const Timing& timing : Measure({&a, &b})) {
    EXPECT_DOUBLE_EQ(timing.measurement.latency_ms->high, 0.4);
  }
}

TEST_F(MeasurerTest, WhatThrowsHasFailedAndTheOthersGoOn) {
  ScriptedContender at_once(environment_, [](int) -> double { throw std::bad_alloc(); });
  ScriptedContender later(environment_, [](int run) -> double {
    if (run > 150) throw std::runtime_error("the seventh layer gave up");
    return 100;
  });
  ScriptedContender sound(environment_, 100.0);
  const auto timings = Measure({&at_once, &later, &sound});
  EXPECT_EQ(timings[0].measurement.status, MeasurementStatus::kFailed);
  EXPECT_EQ(timings[1].measurement.status, MeasurementStatus::kFailed);
  EXPECT_EQ(timings[1].measurement.detail, "the seventh layer gave up");
  EXPECT_TRUE(timings[1].measurement.samples_ms.empty());
  EXPECT_EQ(timings[2].measurement.status, MeasurementStatus::kOk);
}

TEST_F(MeasurerTest, ColdRunsFollowASweepEachAndAreTimedAlone) {
  options_.mode = CacheMode::kCold;
  ScriptedContender contender(environment_, 20.0);
  const Measurement measurement = Measure({&contender}).front().measurement;
  EXPECT_EQ(measurement.status, MeasurementStatus::kOk);
  EXPECT_EQ(measurement.mode, CacheMode::kCold);
  EXPECT_DOUBLE_EQ(measurement.latency_ms->value, 0.02);
  EXPECT_DOUBLE_EQ(measurement.cpu_ms, 0.02);
  EXPECT_EQ(sweeps_, contender.runs());
}

TEST_F(MeasurerTest, TellsTheContendersAsTheyStart) {
  std::vector<size_t> started;
  starting_ = [&](size_t contender) { started.push_back(contender); };
  ScriptedContender a(environment_, 100.0), b(environment_, 100.0);
  Measure({&a, &b});
  EXPECT_EQ(started, (std::vector<size_t>{0, 1}));
}

TEST_F(MeasurerTest, TheOrderIsRandomAndTheSeedsOwn) {
  const auto order_of = [&](uint64_t seed) {
    options_.seed = seed;
    std::vector<int> order;
    const auto noting = [&](int who) {
      return [&order, who](int) {
        order.push_back(who);
        return 2000.0;
      };
    };
    ScriptedContender a(environment_, noting(0)), b(environment_, noting(1));
    ScriptedContender c(environment_, noting(2));
    Measure({&a, &b, &c});
    std::vector<int> batches;  // of one run each, after one that is not timed
    for (size_t run = order.size() - 66; run < order.size(); run += 2) {
      EXPECT_EQ(order[run], order[run + 1]);
      batches.push_back(order[run]);
    }
    return batches;
  };
  EXPECT_EQ(order_of(1), order_of(1));
  EXPECT_NE(order_of(1), order_of(2));
  std::vector<int> order = order_of(3);
  for (size_t round = 0; round < 33; round += 3) {
    const auto begin = order.begin() + static_cast<ptrdiff_t>(round);
    std::sort(begin, begin + 3);
    EXPECT_EQ(std::vector<int>(begin, begin + 3), (std::vector<int>{0, 1, 2}));
  }
}

TEST_F(MeasurerTest, WaitingInTheRunQueueIsToldApart) {
  int64_t waited = 0;
  environment_.files["/proc/self/task/1/schedstat"] = [&] {
    return FileText{"5000 " + std::to_string(waited) + " 7\n", {}};
  };
  // Every fifth run waits as long again for the processor.
  ScriptedContender contender(environment_, [&](int run) {
    if (run % 5 != 0) return 2000.0;
    waited += 2'000'000;
    return 4000.0;
  });
  options_.max_rounds = 40;
  const Timing timing = Measure({&contender}).front();
  ASSERT_TRUE(timing.waited_ms.has_value());
  EXPECT_NEAR(*timing.waited_ms, 0.4, 0.2);
  ASSERT_TRUE(timing.undisturbed_ms.has_value());
  EXPECT_DOUBLE_EQ(timing.undisturbed_ms->high, 2);
}

TEST_F(MeasurerTest, NothingToMeasureIsNothing) { EXPECT_TRUE(Measure({}).empty()); }

}  // namespace
}  // namespace fettle
