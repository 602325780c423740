#include "fettle/tuner/objective.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "fettle/core/file.h"
#include "fettle/tuner/report.h"
#include "tests/support/fault.h"
#include "tests/support/scratch_folder.h"
#include "tests/tuner/sample_session.h"

namespace fettle {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

std::string ParsingFaultOf(const std::string& text) {
  return FaultOf([&] { ParseObjectives(text); }, ErrorKind::kUsage);
}

TEST(Objective, NamesAreParsed) {
  EXPECT_THAT(ParseObjectives("latency,accuracy"),
              ElementsAre(Objective::kLatency, Objective::kAccuracy));
  EXPECT_THAT(ParseObjectives("energy,memory,accuracy"),
              ElementsAre(Objective::kEnergy, Objective::kMemory, Objective::kAccuracy));
  for (const char* wrong : {"", "beauty", "latency,", ",latency", "latency,latency", "Latency",
                            "latency accuracy", "latency,accuracy,"}) {
    EXPECT_THAT(ParsingFaultOf(wrong), AllOf(HasSubstr("latency, accuracy, memory and energy"),
                                             HasSubstr(Text("--objectives ", wrong))));
  }
}

VerifiedPoint Point(const std::string& id, double ms, double accuracy, int64_t bytes) {
  VerifiedPoint point = SamplePoint(id, ms, accuracy);
  point.memory_bytes = bytes;
  return point;
}

std::vector<std::string> FrontIds(const std::filesystem::path& folder, const char* objectives,
                                  const std::vector<VerifiedPoint>& points) {
  SessionSettings settings = SampleSettings();
  settings.objectives = ParseObjectives(objectives);
  Session session = Session::Create(folder, settings);
  for (const VerifiedPoint& point : points) session.AddPoint(point);
  std::vector<std::string> ids;
  for (const VerifiedPoint& point : FrontOf(Session::Read(folder))) ids.push_back(point.id);
  return ids;
}

TEST(Objective, TheFrontIsOfTheSessionsObjectives) {
  const ScratchFolder scratch;
  std::vector<VerifiedPoint> points = {Point("small", 3, 0.9, 100), Point("fast", 1, 0.9, 900),
                                       Point("exact", 2, 0.95, 1000), Point("beaten", 4, 0.8, 999)};
  EXPECT_THAT(FrontIds(scratch.path() / "a", "latency,accuracy", points),
              ElementsAre("fast", "exact"));
  EXPECT_THAT(FrontIds(scratch.path() / "b", "accuracy,memory,latency", points),
              ElementsAre("fast", "exact", "small"));
  EXPECT_THAT(FrontIds(scratch.path() / "c", "memory,accuracy", points),
              ElementsAre("exact", "small"));
  // What was not measured is no reason to be on the front.
  points[3].energy_mj = Interval{2, 1.9, 2.1};
  EXPECT_THAT(FrontIds(scratch.path() / "d", "energy,accuracy", points),
              ElementsAre("exact", "beaten"));
}

TEST(Objective, EnergyIsPredictedInProportionToTheLatencyOfThoseMeasured) {
  std::vector<VerifiedPoint> points(4);
  EXPECT_FALSE(PredictedEnergyMj(points, 1));
  for (size_t i = 0; i < 3; ++i) {
    points[i].predicted_ms = static_cast<double>(i + 1);
    points[i].energy_mj = Interval{5.0 * static_cast<double>(i + 1), 0, 100};
  }
  points[3].energy_mj = Interval{1000, 0, 2000};  // the original: nothing was predicted for it
  EXPECT_NEAR(PredictedEnergyMj(points, 0.5).value(), 2.5, 1e-12);
}

TEST(Objective, EnergyIsShownWhereItWasMeasured) {
  const ScratchFolder scratch;
  SessionSettings settings = SampleSettings();
  settings.objectives = ParseObjectives("latency,accuracy,energy");
  Session session = Session::Create(scratch.path() / "s", settings);
  session.SetOriginal(SamplePoint("original", 2, 0.95));
  VerifiedPoint point = SamplePoint("c0", 1, 0.94);
  point.energy_mj = Interval{7.125, 7, 7.25};
  session.AddPoint(point);
  const nlohmann::ordered_json json = FrontJson(Session::Read(scratch.path() / "s"));
  EXPECT_TRUE(json.at("original").at("energy_mj").is_null());
  EXPECT_EQ(json.at("points").at(0).at("energy_mj").at("value"), 7.125);
  EXPECT_EQ(json.at("points").at(0).at("memory_bytes"), 1000);
  EXPECT_EQ(json.at("objectives").size(), 3u);
  EXPECT_THAT(ReportHtml(session), AllOf(HasSubstr("7.125"), HasSubstr("not measured")));
}

// Settings of before there was a choice.
TEST(Objective, AnOlderSessionHasTheFirstTwo) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  { Session::Create(folder, SampleSettings()); }
  auto json = nlohmann::ordered_json::parse(ReadFile(folder / "settings.json"));
  json.erase("objectives");
  WriteFileAtomically(folder / "settings.json", json.dump());
  EXPECT_EQ(Session::Resume(folder, SampleSettings()).settings(), SampleSettings());
  SessionSettings other = SampleSettings();
  other.objectives = ParseObjectives("latency,accuracy,memory");
  EXPECT_THROW(Session::Resume(folder, other), Error);
}

}  // namespace
}  // namespace fettle
