#include "fettle/device/layer_salvage.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "fettle/core/error.h"

namespace fettle {
namespace {

using testing::HasSubstr;

class LayerSalvageTest : public testing::Test {
 protected:
  LayerSalvageTest() {
    for (const char* name : {"a", "b", "c"})
      request_.implementations.push_back({name, 1, {}, {}, {}});
    request_.options.mode = CacheMode::kCold;
  }

  // The names of what is asked next.
  static std::string Names(LayerSalvage* salvage) {
    const std::optional<LayerRequest> next = salvage->Next();
    std::string names;
    if (!next) return "none";
    for (const Implementation& one : next->implementations) names += one.name;
    return names;
  }

  // An answer whose timings are marked by their details.
  static Reply Answered(const std::string& marks) {
    LayerAnswer answer;
    for (const char mark : marks) {
      answer.timings.emplace_back();
      answer.timings.back().measurement.detail = mark;
    }
    answer.peak_bytes = static_cast<int64_t>(marks.size());
    return {ReplyStatus::kAnswer, BodyOf(answer), {}, ""};
  }
  static Reply Crashed() { return {ReplyStatus::kCrashed, "", {}, "boom"}; }
  static Reply TimedOut() { return {ReplyStatus::kTimedOut, "", {}, "too long"}; }

  LayerRequest request_;
};

TEST_F(LayerSalvageTest, AnAnswerIsAll) {
  LayerSalvage salvage(request_);
  EXPECT_EQ(Names(&salvage), "abc");
  salvage.Add(Answered("xyz"), {});
  EXPECT_EQ(Names(&salvage), "none");
  EXPECT_EQ(salvage.TakeAnswer().timings[2].measurement.detail, "z");
}

TEST_F(LayerSalvageTest, WhoCrashesBeingPreparedIsLeftOut) {
  LayerSalvage salvage(request_);
  salvage.Add(Crashed(), LayerProgress{BenchStage::kPreparing, 1});
  EXPECT_EQ(Names(&salvage), "ac");
  salvage.Add(TimedOut(), LayerProgress{BenchStage::kPreparing, 0});
  EXPECT_EQ(Names(&salvage), "c");
  salvage.Add(Answered("z"), {});
  const LayerAnswer answer = salvage.TakeAnswer();
  EXPECT_EQ(answer.timings[0].measurement.status, MeasurementStatus::kTimedOut);
  EXPECT_EQ(answer.timings[1].measurement.status, MeasurementStatus::kCrashed);
  EXPECT_EQ(answer.timings[1].measurement.detail, "boom, while preparing it");
  EXPECT_EQ(answer.timings[1].measurement.mode, CacheMode::kCold);
  EXPECT_EQ(answer.timings[2].measurement.detail, "z");
}

TEST_F(LayerSalvageTest, WhoCrashesTheRaceIsFoundAlone) {
  LayerSalvage salvage(request_);
  salvage.Add(Crashed(), LayerProgress{BenchStage::kMeasuring, 2});
  EXPECT_EQ(Names(&salvage), "a");
  salvage.Add(Answered("x"), {});
  EXPECT_EQ(Names(&salvage), "b");
  salvage.Add(Crashed(), LayerProgress{BenchStage::kMeasuring, 0});
  EXPECT_EQ(Names(&salvage), "c");
  salvage.Add(Answered("z"), {});
  EXPECT_EQ(Names(&salvage), "none");
  const LayerAnswer answer = salvage.TakeAnswer();
  EXPECT_EQ(answer.timings[0].measurement.detail, "x");
  EXPECT_EQ(answer.timings[1].measurement.status, MeasurementStatus::kCrashed);
  EXPECT_EQ(answer.timings[2].measurement.detail, "z");
}

TEST_F(LayerSalvageTest, WhatCrashesBeforeTheFirstIsEverybodys) {
  for (const std::optional<LayerProgress> progress :
       {std::optional<LayerProgress>(), std::optional(LayerProgress{BenchStage::kPreparing, 3})}) {
    LayerSalvage salvage(request_);
    salvage.Add(Crashed(), progress);
    EXPECT_EQ(Names(&salvage), "none");
    const LayerAnswer answer = salvage.TakeAnswer();
    for (const Timing& timing : answer.timings) {
      EXPECT_EQ(timing.measurement.status, MeasurementStatus::kCrashed);
      EXPECT_THAT(timing.measurement.detail, HasSubstr("before it came to any"));
    }
  }
}

TEST_F(LayerSalvageTest, AnErrorIsEverybodysFailure) {
  LayerSalvage salvage(request_);
  salvage.Add({ReplyStatus::kError, "", {ErrorKind::kDevice, "out of memory"}, ""}, {});
  EXPECT_EQ(Names(&salvage), "none");
  const LayerAnswer answer = salvage.TakeAnswer();
  for (const Timing& timing : answer.timings) {
    EXPECT_EQ(timing.measurement.status, MeasurementStatus::kFailed);
    EXPECT_EQ(timing.measurement.detail, "out of memory");
  }
}

TEST_F(LayerSalvageTest, AnAnswerThatDoesNotFitIsRefused) {
  LayerSalvage salvage(request_);
  EXPECT_THROW(salvage.Add(Answered("xy"), {}), Error);
  Reply rubbish = Answered("xyz");
  rubbish.body = "rubbish";
  EXPECT_THROW(salvage.Add(rubbish, {}), Error);
  EXPECT_EQ(Names(&salvage), "abc");
  salvage.Add(Crashed(), {});
  EXPECT_EQ(Names(&salvage), "none");
}

TEST_F(LayerSalvageTest, NothingIsAskedForNothing) {
  request_.implementations.clear();
  LayerSalvage salvage(request_);
  EXPECT_EQ(Names(&salvage), "none");
}

}  // namespace
}  // namespace fettle
