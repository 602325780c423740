#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <stdexcept>

#include "fettle/core/error.h"
#include "fettle/device/energy_measurer.h"
#include "fettle/device/host_environment.h"
#include "fettle/device/plan_protocol.h"
#include "fettle/device/request_list.h"
#include "fettle/runtime/default_choices.h"
#include "fettle/runtime/plan_builder.h"
#include "fettle/runtime/plan_file.h"
#include "tests/device/scripted_environment.h"

namespace fettle {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;

const std::string kFixtures = FETTLE_DEVICE_FIXTURES;
const std::string kPowercap = "/sys/class/powercap/";

TEST(RaplMeterTest, CountsPackagesAndTheirMemory) {
  HostEnvironment desktop(kFixtures + "/x86_rapl");
  const MeterSearch search = FindEnergyMeter(desktop);
  ASSERT_NE(search.meter, nullptr);
  EXPECT_EQ(search.meter->Description(), "rapl: package-0, dram");
  EXPECT_EQ(search.meter->ReadJoules(), 0);  // the recorded counters stand still
  EXPECT_TRUE(search.refusals.empty());
}

TEST(RaplMeterTest, SaysWhereItLooked) {
  for (const char* fixture : {"arm_board", "nothing"}) {
    HostEnvironment environment(kFixtures + "/" + fixture);
    const MeterSearch search = FindEnergyMeter(environment);
    EXPECT_EQ(search.meter, nullptr);
    EXPECT_THAT(search.refusals,
                ElementsAre(HasSubstr("/sys/class/powercap: no RAPL counter of a package")));
  }
}

TEST(RaplMeterTest, NoneWhereOneIsRequiredIsAnErrorThatNamesThePlaces) {
  HostEnvironment desktop(kFixtures + "/x86_rapl"), board(kFixtures + "/arm_board");
  EXPECT_EQ(RequireEnergyMeter(desktop)->Description(), "rapl: package-0, dram");
  try {
    RequireEnergyMeter(board);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kDevice);
    EXPECT_THAT(error.what(), HasSubstr("looked in /sys/class/powercap: no RAPL counter"));
  }
}

// A network of one activation, as a folder.
std::string PlanFolder(const PrimitiveList& primitives) {
  LayerGraph graph;
  const TensorType type{DType::kF32, {1, 64, 8, 8}};
  graph.tensors = {{"x", type, nullptr}, {"y", type, nullptr}};
  LayerSpec spec;
  spec.op = Activation{};
  spec.inputs = {type};
  spec.output = type;
  graph.layers = {{"relu", spec, {0}, 1, {}}};
  graph.inputs = {0};
  graph.outputs = {1};
  const Target target = HostTarget(1);
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) /
                                       Text("fettle-energy-", static_cast<int64_t>(getpid()));
  std::filesystem::create_directories(folder);
  WritePlan(folder, DefaultPlan(graph, DType::kF32, primitives, target));
  return folder.string();
}

TEST(MeasureEnergyHandlerTest, MeasuresPlansWhereThereIsAMeter) {
  const PrimitiveList primitives = PrimitiveList::All();
  EnergyRequest request;
  request.folders = {PlanFolder(primitives), PlanFolder(primitives)};
  request.options.window = milliseconds(2);
  request.options.min_updates = 1;
  request.options.trials = kFewestEnergyTrials;
  HostEnvironment desktop(kFixtures + "/x86_rapl"), board(kFixtures + "/arm_board");
  const auto answer = ParseEnergyAnswer(
      MakeMeasureEnergyHandler({desktop, primitives, {}})->Answer(BodyOf(request), {}));
  ASSERT_EQ(answer.plans.size(), 2U);
  for (const Energy& energy : answer.plans) {
    EXPECT_EQ(energy.total_mj, (Interval{0, 0, 0}));  // the recorded counters stand still
    EXPECT_GT(energy.runs, 6);
    EXPECT_EQ(energy.meter, "rapl: package-0, dram");
    EXPECT_EQ(energy.failure, "");
  }
  EXPECT_THROW(MakeMeasureEnergyHandler({board, primitives, {}})->Answer(BodyOf(request), {}),
               Error);
  std::filesystem::remove_all(request.folders[0]);
}

// A machine with one package whose power a test sets.
class EnergyTest : public testing::Test {
 protected:
  EnergyTest() {
    AddZone("intel-rapl:0", "package-0", &package_joules_);
    world_.on_pass = [this](nanoseconds wall) {
      package_joules_ += watts_ * std::chrono::duration<double>(wall).count();
    };
  }

  void AddZone(const std::string& folder, const std::string& name, const double* joules) {
    world_.Put(kPowercap + folder + "/name", name + "\n");
    world_.Put(kPowercap + folder + "/max_energy_range_uj", std::to_string(kRange) + "\n");
    world_.files[Counter(folder)] = [joules] {
      const auto microjoules = static_cast<int64_t>(std::llround(*joules * 1e6));
      return FileText{std::to_string(microjoules % kRange) + "\n", {}};
    };
  }
  static std::string Counter(const std::string& folder) {
    return kPowercap + folder + "/energy_uj";
  }

  // Lets time pass at a power.
  void Pass(double watts, double for_seconds) {
    watts_ = watts;
    world_.Sleep(nanoseconds(static_cast<int64_t>(for_seconds * 1e9)));
    watts_ = kIdleWatts;
  }

  // Work of a millisecond at a power.
  class Load : public Contender {
   public:
    Load(EnergyTest& test, std::function<double()> watts) : test_(test), watts_(std::move(watts)) {}
    void Run() override {
      test_.Pass(watts_(), 1e-3);
      ++runs;
    }
    int runs = 0;

   private:
    EnergyTest& test_;
    std::function<double()> watts_;
  };

  std::string FaultOfReading(EnergyMeter* meter) {
    try {
      meter->ReadJoules();
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kDevice);
      return error.what();
    }
    return "none";
  }

  static constexpr int64_t kRange = 65'000'000'000;  // 65 kJ, in microjoules
  static constexpr double kIdleWatts = 10;

  ScriptedEnvironment world_;
  double package_joules_ = 64'990;  // ten short of coming round
  double watts_ = kIdleWatts;
};

TEST_F(EnergyTest, CountsOverTheWrap) {
  const MeterSearch search = FindEnergyMeter(world_);
  ASSERT_NE(search.meter, nullptr);
  for (int second = 1; second <= 40; ++second) {
    Pass(50, 1);
    EXPECT_NEAR(search.meter->ReadJoules(), 50 * second, 1e-3);
  }
  EXPECT_GE(search.meter->LongestPause(), seconds(10));
  EXPECT_LE(search.meter->LongestPause(), seconds(20));
}

TEST_F(EnergyTest, AddsUpItsZonesAndNoneTwice) {
  double dram = 5, board = 7, second = 11;
  AddZone("intel-rapl:0:1", "dram", &dram);
  AddZone("intel-rapl:0:0", "core", &board);
  AddZone("intel-rapl:1", "package-1", &second);
  AddZone("intel-rapl:2", "psys", &board);
  AddZone("intel-rapl-mmio:0", "package-0", &board);
  const MeterSearch search = FindEnergyMeter(world_);
  ASSERT_NE(search.meter, nullptr);
  EXPECT_EQ(search.meter->Description(), "rapl: package-0, dram, package-1");
  dram += 1;
  second += 2;
  board += 4;
  EXPECT_NEAR(search.meter->ReadJoules(), 3, 1e-6);
}

TEST_F(EnergyTest, RefusalsAreInWords) {
  const auto refusals = [&] {
    const MeterSearch search = FindEnergyMeter(world_);
    EXPECT_EQ(search.meter, nullptr);
    return search.refusals;
  };
  world_.Put(kPowercap + "intel-rapl:0/max_energy_range_uj", "0\n");
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("does not say where it wraps")));
  world_.Put(Counter("intel-rapl:0"), "often\n");
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("no counter of energy")));
  world_.Deny(Counter("intel-rapl:0"));
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("intel-rapl:0/energy_uj: permission denied; only "
                                                "root may read it")));
  world_.files.erase(Counter("intel-rapl:0"));
  EXPECT_THAT(refusals(), ElementsAre(HasSubstr("No such file")));
}

TEST_F(EnergyTest, AMeterThatGoesOrJumpsIsAnError) {
  const MeterSearch search = FindEnergyMeter(world_);
  Pass(50, 1);
  search.meter->ReadJoules();
  package_joules_ -= 1000;  // a reset, which is no wrap
  EXPECT_THAT(FaultOfReading(search.meter.get()), HasSubstr("was reset"));
  world_.Put(Counter("intel-rapl:0"), "x");
  EXPECT_THAT(FaultOfReading(search.meter.get()), HasSubstr("no counter"));
  world_.files.erase(Counter("intel-rapl:0"));
  EXPECT_THAT(FaultOfReading(search.meter.get()), HasSubstr("the energy meter is gone"));
}

TEST_F(EnergyTest, TellsTotalFromActive) {
  const MeterSearch search = FindEnergyMeter(world_);
  EnergyMeasurer measurer(world_, *search.meter);
  Load light(*this, [] { return 30.0; });
  Load heavy(*this, [] { return 50.0; });
  std::vector<Contender*> contenders{&light, &heavy};
  const std::vector<Energy> energies = measurer.Measure(contenders, {});
  ASSERT_EQ(energies.size(), 2u);
  EXPECT_NEAR(energies[0].total_mj.value, 30, 0.01);
  EXPECT_NEAR(energies[0].active_mj.value, 20, 0.01);
  EXPECT_NEAR(energies[1].total_mj.value, 50, 0.01);
  EXPECT_NEAR(energies[1].active_mj.value, 40, 0.01);
  EXPECT_NEAR(energies[0].idle_w.value, 10, 0.01);
  EXPECT_EQ(energies[0].runs, 7 * 5000);
  EXPECT_EQ(energies[0].runs + 7, light.runs);  // one before each window
  EXPECT_EQ(energies[0].meter, "rapl: package-0");
  EXPECT_EQ(energies[0].failure, "");
}

TEST_F(EnergyTest, AMachineThatWarmsUpIsAccountedFor) {
  // The idle power rises by a watt a minute, and with it that of the work.
  double warmth = 0;
  world_.on_pass = [&](nanoseconds wall) {
    const double passed = std::chrono::duration<double>(wall).count();
    package_joules_ += (watts_ + warmth) * passed;
    warmth += passed / 60;
  };
  const MeterSearch search = FindEnergyMeter(world_);
  EnergyMeasurer measurer(world_, *search.meter);
  Load load(*this, [] { return 30.0; });
  std::vector<Contender*> contenders{&load};
  const Energy energy = measurer.Measure(contenders, {}).front();
  EXPECT_NEAR(energy.active_mj.value, 20, 0.1);
  EXPECT_GT(energy.total_mj.high - energy.total_mj.low, 0.5);
  EXPECT_LE(energy.active_mj.high - energy.active_mj.low, 0.2);
}

TEST_F(EnergyTest, ScatterShowsInTheInterval) {
  const MeterSearch search = FindEnergyMeter(world_);
  EnergyMeasurer measurer(world_, *search.meter);
  int trial = 0;
  Load load(*this, [&] { return 30.0 + trial % 3; });
  world_.on_pass = [&, pass = world_.on_pass](nanoseconds wall) {
    pass(wall);
    if (watts_ == kIdleWatts) ++trial;  // asleep: the next window's work is another
  };
  std::vector<Contender*> contenders{&load};
  const Energy energy = measurer.Measure(contenders, {}).front();
  EXPECT_LT(energy.active_mj.low, energy.active_mj.value);
  EXPECT_GT(energy.active_mj.high, energy.active_mj.value);
}

TEST_F(EnergyTest, WindowsHoldEnoughUpdatesOfASlowMeter) {
  class SlowMeter : public EnergyMeter {
   public:
    explicit SlowMeter(double* joules) : joules_(joules) {}
    std::string Description() const override { return "slow"; }
    nanoseconds UpdateInterval() const override { return milliseconds(500); }
    nanoseconds LongestPause() const override { return seconds(100); }
    double ReadJoules() override { return *joules_; }

   private:
    double* joules_;
  } slow(&package_joules_);
  EnergyMeasurer measurer(world_, slow);
  Load load(*this, [] { return 30.0; });
  std::vector<Contender*> contenders{&load};
  EXPECT_EQ(measurer.Measure(contenders, {}).front().runs, 7 * 25'000);
}

TEST_F(EnergyTest, WhatThrowsHasFailedAndTheOthersGoOn) {
  const MeterSearch search = FindEnergyMeter(world_);
  EnergyMeasurer measurer(world_, *search.meter);
  Load sound(*this, [] { return 30.0; });
  Load faulty(*this, []() -> double { throw Error(ErrorKind::kDevice, "no such kernel"); });
  std::vector<Contender*> contenders{&faulty, &sound};
  const std::vector<Energy> energies = measurer.Measure(contenders, {});
  EXPECT_EQ(energies[0].failure, "no such kernel");
  EXPECT_NEAR(energies[1].active_mj.value, 20, 0.01);
}

TEST_F(EnergyTest, AMeterThatGoesMidwayEndsTheMeasuring) {
  const MeterSearch search = FindEnergyMeter(world_);
  EnergyMeasurer measurer(world_, *search.meter);
  Load load(*this, [] { return 30.0; });
  load.runs = 0;
  world_.on_pass = [&, pass = world_.on_pass](nanoseconds wall) {
    pass(wall);
    if (load.runs == 7000) world_.files.erase(Counter("intel-rapl:0"));
  };
  std::vector<Contender*> contenders{&load};
  EXPECT_THROW(measurer.Measure(contenders, {}), Error);
}

}  // namespace
}  // namespace fettle
