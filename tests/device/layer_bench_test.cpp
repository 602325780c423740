#include "fettle/device/layer_bench.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <stdexcept>

#include "fettle/device/cache_sweep.h"
#include "fettle/device/host_environment.h"
#include "fettle/device/kernel_memory.h"
#include "fettle/device/layer_data.h"
#include "fettle/device/reference_work.h"
#include "fettle/primitives/primitive_list.h"
#include "tests/device/fake_primitive.h"

namespace fettle {
namespace {

using testing::HasSubstr;

LayerSpec Spec(std::string_view key) {
  const std::optional<LayerSpec> spec = ParseLayerSpec(key);
  EXPECT_TRUE(spec.has_value()) << key;
  return spec.value_or(LayerSpec());
}

const std::string kConv =
    "conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=1x1,pads_end=1x1,groups=1) "
    "in=f32[1x5x6x7] weights=f32[6x5x3x3],f32[6] out=f32[1x6x6x7]";

TEST(KernelMemoryTest, ShowsWritesOutsideOfIt) {
  KernelMemory memory(100);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(memory.data()) % 64, 0u);
  memory.Fill(std::byte{1});
  EXPECT_TRUE(memory.IsGuardIntact());
  memory.data()[100] = std::byte{1};
  EXPECT_FALSE(memory.IsGuardIntact());
  memory.MendGuard();
  EXPECT_TRUE(memory.IsGuardIntact());
  memory.data()[-1] = std::byte{1};
  EXPECT_FALSE(memory.IsGuardIntact());
  EXPECT_EQ(memory.data()[99], std::byte{1});
}

TEST(KernelMemoryTest, ArrangesEveryLayoutAsPhysicalOffsetSays) {
  for (const DType dtype : {DType::kF32, DType::kBF16, DType::kI8, DType::kI64}) {
    for (const Shape& shape : {Shape{2, 5, 3, 4}, Shape{1, 16, 1, 3}, Shape{3, 17, 2}}) {
      Tensor tensor(TensorType{dtype, shape});
      for (size_t i = 0; i < tensor.num_bytes(); ++i) {
        tensor.bytes()[i] = static_cast<std::byte>(i * 7 + 1);
      }
      for (const Layout layout :
           {Layout::kPlain, Layout::kChannelsLast, Layout::kBlocked8, Layout::kBlocked16}) {
        KernelMemory memory(static_cast<size_t>(PhysicalBytes(tensor.type(), layout)));
        Arrange(tensor, layout, memory.data());
        EXPECT_TRUE(memory.IsGuardIntact());
        EXPECT_TRUE(IsArranged(tensor, layout, memory.data()));
        EXPECT_EQ(Collect(tensor.type(), layout, memory.data()), tensor);
        const auto last = static_cast<size_t>(tensor.num_elements() - 1);
        Shape indices = shape;
        for (int64_t& index : indices) --index;
        const size_t size = SizeOf(dtype);
        const auto place = static_cast<size_t>(PhysicalOffset(shape, layout, indices));
        EXPECT_EQ(std::memcmp(memory.data() + place * size, tensor.bytes() + last * size, size), 0);
        memory.data()[memory.size() - 1] ^= std::byte{1};
        EXPECT_FALSE(IsArranged(tensor, layout, memory.data()));
      }
    }
  }
}

TEST(LayerDataTest, FollowsFromTheSeed) {
  const LayerSpec spec = Spec(kConv);
  const LayerData data = MakeLayerData(spec, 5);
  EXPECT_EQ(data.inputs, MakeLayerData(spec, 5).inputs);
  EXPECT_EQ(data.weights, MakeLayerData(spec, 5).weights);
  EXPECT_NE(data.inputs, MakeLayerData(spec, 6).inputs);
  ASSERT_EQ(data.weights.size(), 2u);
  EXPECT_EQ(data.inputs[0].type(), spec.inputs[0]);
  EXPECT_EQ(data.weights[0].type(), spec.weights[0]);
}

TEST(LayerDataTest, HasTheDensityExactly) {
  LayerSpec spec = Spec(kConv);
  spec.density = 0.1;
  const LayerData data = MakeLayerData(spec, 5);
  int nonzero = 0;
  for (const float value : data.weights[0].values<float>()) nonzero += value != 0 ? 1 : 0;
  EXPECT_EQ(nonzero, 27);
}

// Of six rows: a block of four, and one of the two that are left.
TEST(LayerDataTest, HasItsZerosInBlocks) {
  LayerSpec spec = Spec(kConv);
  spec.density = 0.2;
  spec.sparse_block = 4;
  const Tensor weights = MakeLayerData(spec, 5).weights[0];
  const std::span<const float> values = weights.values<float>();
  size_t blocks = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const size_t row = i / 45, first = row / 4 * 4;
    EXPECT_EQ(values[i] != 0, values[first * 45 + i % 45] != 0);
    blocks += row == first && values[i] != 0 ? 1 : 0;
  }
  EXPECT_EQ(blocks, 18u);  // of 2 * 45
}

TEST(LayerDataTest, DivisorsStayAwayFromZero) {
  const LayerSpec spec = Spec("binary(kind=div) in=f32[1x4x5x5],f32[1x4x5x5] out=f32[1x4x5x5]");
  const LayerData data = MakeLayerData(spec, 5);
  for (const float value : data.inputs[1].values<float>()) {
    EXPECT_GE(value, 0.5f);
  }
}

class LayerBenchTest : public testing::Test {
 protected:
  std::vector<Timing> Measure(const std::string& key, const Primitive& primitive,
                              const BenchObserver& observer = {}) {
    const LayerSpec spec = Spec(key);
    std::vector<Offer> offers;
    for (const Implementation& one : primitive.Implementations(spec, target_)) {
      offers.push_back({&primitive, one});
    }
    return bench_.Measure(spec, target_, offers, options_, 1, observer);
  }

  Measurement MeasureOne(const std::string& key, FakePrimitive::Way way) {
    return Measure(key, FakePrimitive(list_.reference(), {std::move(way)})).front().measurement;
  }

  void SetUp() override {
    // Correctness is what is tested, on whatever machine: a few rounds will do.
    options_.max_rounds = 12;
    options_.warm_up_budget = std::chrono::milliseconds(1);
    options_.contender_budget = std::chrono::milliseconds(50);
  }

  HostEnvironment host_;
  ReferenceWork work_;
  CacheSweep sweep_{{0}, 1 << 16};
  Measurer measurer_{host_, work_, sweep_};
  PrimitiveList list_ = PrimitiveList::All();
  LayerBench bench_{measurer_, list_.reference()};
  Target target_;
  TimingOptions options_;
};

bool IsMeasured(const Measurement& measurement) {
  return !measurement.samples_ms.empty() && (measurement.status == MeasurementStatus::kOk ||
                                             measurement.status == MeasurementStatus::kUnstable);
}

TEST_F(LayerBenchTest, MeasuresWhatIsRight) {
  const FakePrimitive fake(
      list_.reference(),
      {{"plain", {}}, {"last", {}, Layout::kChannelsLast}, {"blocked", {}, Layout::kBlocked8}});
  for (const Timing& timing : Measure(kConv, fake)) {
    EXPECT_TRUE(IsMeasured(timing.measurement)) << timing.measurement.detail;
    EXPECT_EQ(timing.measurement.workspace_bytes, 128);
    EXPECT_EQ(timing.measurement.weight_bytes, 77);
    EXPECT_EQ(timing.measurement.error, 0);
  }
}

TEST_F(LayerBenchTest, MeasuresEveryImplementationOfTheList) {
  for (const auto& primitive : list_.primitives()) {
    const LayerSpec spec = Spec(kConv);
    if (!primitive->Supports(spec, target_)) continue;
    for (const Timing& timing : Measure(kConv, *primitive)) {
      EXPECT_TRUE(IsMeasured(timing.measurement))
          << primitive->Name() << ": " << timing.measurement.detail;
    }
  }
}

TEST_F(LayerBenchTest, ASmallErrorIsRecordedAndALargeOneIsWrong) {
  const auto shifted = [](float by) {
    return [by](const FakeRun& run) { *reinterpret_cast<float*>(run.output) += by; };
  };
  const Measurement small = MeasureOne(kConv, {"small", shifted(2e-5f)});
  EXPECT_TRUE(IsMeasured(small)) << small.detail;
  EXPECT_GT(small.error, 1e-6);
  const Measurement large = MeasureOne(kConv, {"large", shifted(0.5f)});
  EXPECT_EQ(large.status, MeasurementStatus::kWrongResult);
  EXPECT_TRUE(large.samples_ms.empty());
  EXPECT_FALSE(large.has_latency());
  EXPECT_GT(large.error, 0.1);
  EXPECT_THAT(large.detail, HasSubstr("allowed is 0.0001"));
}

TEST_F(LayerBenchTest, NotANumberIsWrong) {
  const Measurement measurement = MeasureOne(
      kConv, {"nan", [](const FakeRun& run) { *reinterpret_cast<float*>(run.output) = NAN; }});
  EXPECT_EQ(measurement.status, MeasurementStatus::kWrongResult);
  EXPECT_EQ(ParseMeasurement(MeasurementText(measurement)), measurement);
}

TEST_F(LayerBenchTest, WhatGoesWrongInTheSecondRunIsSeen) {
  const Measurement measurement = MeasureOne(kConv, {"later", [](const FakeRun& run) {
                                                       if (run.earlier_runs == 1)
                                                         *reinterpret_cast<float*>(run.output) += 1;
                                                     }});
  EXPECT_EQ(measurement.status, MeasurementStatus::kWrongResult);
}

TEST_F(LayerBenchTest, WritingWhereItMayNotIsWrong) {
  const auto detail_of = [&](const char* name, const Misbehaviour& misbehaviour,
                             Layout layout = Layout::kPlain) {
    const Measurement measurement = MeasureOne(kConv, {name, misbehaviour, layout});
    EXPECT_EQ(measurement.status, MeasurementStatus::kWrongResult) << name;
    return measurement.detail;
  };
  EXPECT_THAT(
      detail_of("overrun", [](const FakeRun& run) { run.output[run.output_bytes] = std::byte{1}; }),
      HasSubstr("outside its output"));
  EXPECT_THAT(detail_of("workspace", [](const FakeRun& run) { run.workspace[128] = std::byte{1}; }),
              HasSubstr("outside its workspace"));
  EXPECT_THAT(detail_of("input",
                        [](const FakeRun& run) {
                          const_cast<std::byte*>(run.inputs[0])[3] ^= std::byte{1};
                        }),
              HasSubstr("changes input 0"));
  EXPECT_THAT(detail_of(
                  "padding",
                  [](const FakeRun& run) {
                    run.output[run.output_bytes - 1] = std::byte{1};  // 6 channels in blocks of 8
                  },
                  Layout::kBlocked8),
              HasSubstr("padding"));
}

TEST_F(LayerBenchTest, WhoChangesAnInputIsBlamedAlone) {
  const FakePrimitive fake(
      list_.reference(),
      {{"vandal", [](const FakeRun& run) { const_cast<std::byte*>(run.inputs[0])[-1] = {}; }},
       {"honest", {}}});
  const std::vector<Timing> timings = Measure(kConv, fake);
  EXPECT_EQ(timings[0].measurement.status, MeasurementStatus::kWrongResult);
  EXPECT_TRUE(IsMeasured(timings[1].measurement)) << timings[1].measurement.detail;
}

TEST_F(LayerBenchTest, ResidualsAreTakenInPlaceWhereOffered) {
  const std::string key =
      "conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=1x1,pads_end=1x1,groups=1) "
      "in=f32[1x8x6x7],f32[1x8x6x7] weights=f32[8x8x3x3] out=f32[1x8x6x7] residual=1";
  bool was_in_place = true;
  const auto looking = [&](const FakeRun& run) {
    was_in_place = was_in_place && run.inputs[1] == run.output;
  };
  const Measurement in_place = MeasureOne(key, {"in_place", looking, Layout::kBlocked8, size_t{1}});
  EXPECT_TRUE(IsMeasured(in_place)) << in_place.detail;
  EXPECT_TRUE(was_in_place);
  const Measurement apart = MeasureOne(key, {"apart", looking, Layout::kBlocked8});
  EXPECT_TRUE(IsMeasured(apart)) << apart.detail;
  EXPECT_FALSE(was_in_place);
}

TEST_F(LayerBenchTest, RefusalsAndFailuresSayWhy) {
  const Measurement refused = MeasureOne("softmax(axis=1) in=f32[1x5] out=f32[1x5]", {"x", {}});
  EXPECT_EQ(refused.status, MeasurementStatus::kNotApplicable);
  EXPECT_EQ(refused.detail, "softmax is not faked");
  EXPECT_EQ(MeasureOne(kConv, {"unpreparable", {}}).status, MeasurementStatus::kFailed);
  const Measurement thrown =
      MeasureOne(kConv, {"throws", [](const FakeRun&) { throw std::runtime_error("no luck"); }});
  EXPECT_EQ(thrown.status, MeasurementStatus::kFailed);
  EXPECT_EQ(thrown.detail, "no luck");
  const Measurement thrown_later = MeasureOne(kConv, {"throws", [](const FakeRun& run) {
                                                        if (run.earlier_runs > 3)
                                                          throw std::runtime_error("no more luck");
                                                      }});
  EXPECT_EQ(thrown_later.status, MeasurementStatus::kFailed);
  EXPECT_EQ(thrown_later.detail, "no more luck");
}

TEST_F(LayerBenchTest, WhatIsNotOfferedIsNotApplicable) {
  const FakePrimitive fake(list_.reference(), {{"plain", {}}});
  const LayerSpec spec = Spec(kConv);
  Offer other{&fake, fake.Implementations(spec, target_).front()};
  other.implementation.version = 2;
  Offer nobody = other;
  nobody.primitive = nullptr;
  nobody.implementation.name = "gone.conv";
  const std::vector<Offer> offers{other, nobody};
  const std::vector<Timing> timings = bench_.Measure(spec, target_, offers, options_, 1);
  for (const Timing& timing : timings) {
    EXPECT_EQ(timing.measurement.status, MeasurementStatus::kNotApplicable);
  }
  EXPECT_THAT(timings[0].measurement.detail, HasSubstr("version 2"));
  EXPECT_THAT(timings[1].measurement.detail, HasSubstr("'gone.conv'"));
}

TEST_F(LayerBenchTest, WhatTheReferenceCannotJudgeIsNotMeasured) {
  const LayerSpec spec = Spec("split(axis=1,sizes=2x3) in=f32[1x5] out=f32[1x2]");
  const FakePrimitive fake(list_.reference(), {{"plain", {}}});
  const std::vector<Offer> offers{{&fake, {"fake:plain", 3, {Layout::kPlain}, Layout::kPlain, {}}}};
  const Timing timing = bench_.Measure(spec, target_, offers, options_, 1).front();
  EXPECT_EQ(timing.measurement.status, MeasurementStatus::kNotApplicable);
  EXPECT_THAT(timing.measurement.detail, HasSubstr("the reference refuses the layer"));
}

TEST_F(LayerBenchTest, TellsWhereItIs) {
  const FakePrimitive fake(list_.reference(),
                           {{"a", {}},
                            {"wrong", [](const FakeRun& run) { run.output[3] ^= std::byte{0x40}; }},
                            {"b", {}}});
  std::vector<std::pair<BenchStage, size_t>> stages;
  Measure(kConv, fake, [&](BenchStage stage, size_t offer) { stages.emplace_back(stage, offer); });
  using enum BenchStage;
  EXPECT_EQ(
      stages,
      (std::vector<std::pair<BenchStage, size_t>>{
          {kPreparing, 0}, {kPreparing, 1}, {kPreparing, 2}, {kMeasuring, 0}, {kMeasuring, 2}}));
}

}  // namespace
}  // namespace fettle
