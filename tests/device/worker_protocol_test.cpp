#include "fettle/device/worker_protocol.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fettle/core/random.h"
#include "fettle/device/plan_protocol.h"

namespace fettle {
namespace {

using testing::HasSubstr;

LayerRequest SomeRequest() {
  LayerRequest request;
  request.spec = *ParseLayerSpec(
      "conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=1x1,pads_end=1x1,groups=1) "
      "in=f32[1x5x6x7],f32[1x6x6x7] weights=f32[6x5x3x3] out=f32[1x6x6x7] residual=1");
  request.implementations = {
      {"onednn.conv:jit:avx2", 2, {Layout::kBlocked8, Layout::kBlocked8}, Layout::kBlocked8, 1},
      {"reference", 1, {Layout::kPlain, Layout::kPlain}, Layout::kPlain, {}}};
  request.threads = 2;
  request.options.mode = CacheMode::kCold;
  request.options.relative_width = 0.015;
  request.options.seed = ~uint64_t{0};
  request.options.contender_budget = std::chrono::nanoseconds(123'456'789);
  request.data_seed = 99;
  return request;
}

LayerAnswer SomeAnswer() {
  Timing timing;
  timing.measurement.status = MeasurementStatus::kOk;
  timing.measurement.samples_ms = {0.1, 0.2, 0.30000000000000004};
  timing.measurement.latency_ms = Interval{0.2, 0.1, 0.3};
  timing.measurement.detail = "two\nlines, \"quotes\" and \\";
  timing.waited_ms = 0.25;
  timing.undisturbed_ms = Interval{1, 0.5, 1.5};
  return {{timing, Timing()}, 1 << 20, int64_t{5} << 32};
}

Description SomeDescription() {
  Description description;
  description.fingerprint.cpu_model = "A \"CPU\"";
  description.fingerprint.isa = {"avx2", "avx512"};
  description.fingerprint.cores = 4;
  description.fingerprint.cache_bytes = {32768, 1 << 20};
  description.fingerprint.memory_bytes = int64_t{64} << 30;
  description.fingerprint.system = "Linux 6.1";
  description.fingerprint.libraries = {{"onednn", "2.6.3"}};
  description.preflight.threads = 2;
  description.preflight.cpus = {0, 2};
  description.preflight.governor = "performance";
  description.preflight.mhz = 3700.5;
  description.preflight.boosts = false;
  description.preflight.throttle_bits = 0x50000;
  return description;
}

EnergyAnswer SomeEnergies() {
  return {{{{2.5, 2.25, 2.75}, {1, 0.5, 1.5}, {9, 8, 10}, 4000, "rapl: package-0", ""},
           {{}, {}, {}, 0, "rapl", "it broke"}}};
}

PlansAnswer SomePlans() {
  PlanTiming plan;
  plan.timing = SomeAnswer().timings[0];
  plan.arena_bytes = 1 << 20;
  plan.weight_bytes = 77;
  plan.measured_bytes = 1 << 21;
  plan.loading_bytes = 1 << 22;
  plan.steps = {{"conv1", "onednn.conv:jit:avx2", 0.125, {0.1, 0.125, 0.2}},
                {"fc", "reference", 3, {}}};
  return {{plan, PlanTiming()}};
}

TEST(WorkerProtocolTest, EverythingComesThrough) {
  EXPECT_EQ(ParsePlansAnswer(BodyOf(SomePlans())), SomePlans());
  const PlansRequest plans{{"/a", "b c"}, 0, SomeRequest().options, true, 5};
  EXPECT_EQ(ParsePlansRequest(BodyOf(plans)), plans);
  EXPECT_EQ(ParseEnergyAnswer(BodyOf(SomeEnergies())), SomeEnergies());
  const EnergyRequest energy{{"/a", "b"}, 2, {std::chrono::milliseconds(30), 5, 8, 3}, 7};
  EXPECT_EQ(ParseEnergyRequest(BodyOf(energy)), energy);
  EXPECT_EQ(ParseLayerRequest(BodyOf(SomeRequest())), SomeRequest());
  EXPECT_EQ(ParseLayerAnswer(BodyOf(SomeAnswer())), SomeAnswer());
  EXPECT_EQ(ParseLayerAnswer(BodyOf(LayerAnswer())), LayerAnswer());
  EXPECT_EQ(ParseDescription(BodyOf(SomeDescription())), SomeDescription());
  EXPECT_EQ(ParseDescription(BodyOf(Description())), Description());
  EXPECT_EQ(ParseDescribeRequest(BodyOf(DescribeRequest{3})), DescribeRequest{3});
  for (const BenchStage stage : {BenchStage::kPreparing, BenchStage::kMeasuring}) {
    EXPECT_EQ(ParseLayerProgress(BodyOf(LayerProgress{stage, 7})), (LayerProgress{stage, 7}));
    EXPECT_EQ(ParsePlanProgress(BodyOf(PlanProgress{stage, 7})), (PlanProgress{stage, 7}));
  }
  const WorkerError error{ErrorKind::kBadInput, "no such file"};
  EXPECT_EQ(ParseWorkerError(BodyOf(error)), error);
}

TEST(WorkerProtocolTest, BytesThatAreNoTextAreReplaced) {
  EXPECT_EQ(ParseWorkerError(BodyOf(WorkerError{ErrorKind::kDevice,
                                                "a\xff"
                                                "b"}))
                .message,
            "a\xEF\xBF\xBD"
            "b");
}

std::string FaultOfBody(const std::string& body) {
  try {
    ParseLayerRequest(body);
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    return error.what();
  }
  return "";
}

std::string With(std::string body, const std::string& what, const std::string& instead) {
  const size_t place = body.find(what);
  EXPECT_NE(place, std::string::npos) << what;
  return body.replace(place, what.size(), instead);
}

TEST(WorkerProtocolTest, WhatIsNoRequestIsNamed) {
  const std::string body = BodyOf(SomeRequest());
  EXPECT_EQ(FaultOfBody(body), "");
  EXPECT_THAT(FaultOfBody(""), HasSubstr("no JSON object"));
  EXPECT_THAT(FaultOfBody("[1]"), HasSubstr("no JSON object"));
  EXPECT_THAT(FaultOfBody("{}"), HasSubstr("'spec' is missing"));
  EXPECT_THAT(FaultOfBody(body.substr(0, body.size() - 1)), HasSubstr("no JSON object"));
  EXPECT_THAT(FaultOfBody(With(body, "\"threads\":2", "\"threads\":0")), HasSubstr("'threads'"));
  EXPECT_THAT(FaultOfBody(With(body, "\"threads\":2", "\"threads\":2.5")), HasSubstr("'threads'"));
  EXPECT_THAT(FaultOfBody(With(body, "\"threads\":2", "\"threads\":4294967298")),
              HasSubstr("'threads'"));
  EXPECT_THAT(FaultOfBody(With(body, "\"threads\":2", "\"threads\":\"2\"")),
              HasSubstr("'threads'"));
  EXPECT_THAT(FaultOfBody(With(body, "cold", "tepid")), HasSubstr("'tepid' is no mode"));
  EXPECT_THAT(FaultOfBody(With(body, "blocked8", "curled8")), HasSubstr("no layout"));
  EXPECT_THAT(FaultOfBody(With(body, "f32[6x5x3x3]", "f32[6x4x3x3]")), HasSubstr("impossible"));
  EXPECT_THAT(FaultOfBody(With(body, "conv(", "convolve(")), HasSubstr("no layer"));
  EXPECT_THAT(FaultOfBody(With(body, "\"min_ticks\":1000", "\"min_ticks\":0")),
              HasSubstr("'min_ticks'"));
  EXPECT_THAT(FaultOfBody(With(body, "123456789", "-5")), HasSubstr("'contender_budget_ns'"));
  EXPECT_THAT(FaultOfBody(With(body, "18446744073709551615", "-1")), HasSubstr("'seed'"));
  EXPECT_THAT(FaultOfBody(With(body, "\"version\":2", "\"version\":\"2\"")),
              HasSubstr("'version'"));
}

TEST(WorkerProtocolTest, DeepNestingDoesNoHarm) {
  EXPECT_NE(FaultOfBody("{\"spec\":" + std::string(100'000, '[')), "");
  EXPECT_NE(FaultOfBody("{\"spec\":" + std::string(100'000, '[') + std::string(100'000, ']') + "}"),
            "");
}

TEST(WorkerProtocolTest, NoBodyDoesMoreThanThrow) {
  Random random(3);
  const std::string bodies[] = {BodyOf(SomeRequest()), BodyOf(SomeAnswer()),
                                BodyOf(SomeDescription()), BodyOf(SomePlans()),
                                BodyOf(SomeEnergies())};
  const auto survive = [](const auto& parse) {
    try {
      parse();
    } catch (const Error&) {
    }
  };
  for (int i = 0; i < 3000; ++i) {
    std::string body = bodies[i % 4];
    for (uint64_t change = 1 + random.Below(3); change > 0; --change) {
      const size_t place = random.Below(body.size());
      if (random.Chance(0.3)) {
        body.erase(place, 1 + random.Below(10));
      } else {
        body[place] = "0123456789{}[],:\"-.exn"[random.Below(22)];
      }
    }
    survive([&] { ParseLayerRequest(body); });
    survive([&] { ParseLayerAnswer(body); });
    survive([&] { ParseDescription(body); });
    survive([&] { ParsePlansRequest(body); });
    survive([&] { ParsePlansAnswer(body); });
    survive([&] { ParseEnergyRequest(body); });
    survive([&] { ParseEnergyAnswer(body); });
    survive([&] { ParseLayerProgress(body); });
    survive([&] { ParsePlanProgress(body); });
    survive([&] { ParseWorkerError(body); });
  }
}

}  // namespace
}  // namespace fettle
