#include "fettle/tuner/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "fettle/core/file.h"
#include "fettle/tuner/preprocessing_json.h"
#include "tests/support/fault.h"
#include "tests/support/scratch_folder.h"
#include "tests/training/toy_dataset.h"
#include "tests/tuner/sample_session.h"

namespace fettle {
namespace {

using testing::HasSubstr;

template <typename Action>
std::string MessageOf(const Action& action) {
  return FaultOf(action, ErrorKind::kBadInput);
}

TEST(Session, KeepsWhatItWasTold) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  {
    Session session = Session::Create(folder, SampleSettings());
    session.AddSensitivity("1,0", 0.25, 12);
    session.SetOriginal(SamplePoint("original", 2, 0.9));
    session.AddPoint(SamplePoint("c0", 1, 0.9));
    session.AddPoint(SamplePoint("c0", 0.9, 0.9));
    session.AddNote("records", "{\"new\":3}");
  }
  const Session session = Session::Read(folder);
  EXPECT_EQ(session.settings(), SampleSettings());
  EXPECT_EQ(session.sensitivities().at("1,0"), 0.25);
  EXPECT_EQ(session.original(), SamplePoint("original", 2, 0.9));
  ASSERT_EQ(session.points().size(), 1u);
  EXPECT_EQ(session.points()[0], SamplePoint("c0", 0.9, 0.9));
}

TEST(Session, ARevisionTakesThePlaceOfTheOneBefore) {
  const ScratchFolder scratch;
  Session session = Session::Create(scratch.path() / "s", SampleSettings());
  VerifiedPoint first = SamplePoint("c0", 1, 0.9), second = SamplePoint("c0", 1, 0.91);
  second.revision = 1;
  ASSERT_NE(session.FolderOf(first), session.FolderOf(second));
  std::filesystem::create_directories(session.FolderOf(first));
  session.AddPoint(first);
  std::filesystem::create_directories(session.FolderOf(second));
  EXPECT_TRUE(std::filesystem::exists(session.FolderOf(first)));  // until the log says otherwise
  session.AddPoint(second);
  EXPECT_FALSE(std::filesystem::exists(session.FolderOf(first)));
  EXPECT_TRUE(std::filesystem::exists(session.FolderOf(second)));
  session.AddPoint(second);  // measured again: its files stay
  EXPECT_TRUE(std::filesystem::exists(session.FolderOf(second)));
  ASSERT_EQ(Session::Read(scratch.path() / "s").points().size(), 1u);
  EXPECT_EQ(Session::Read(scratch.path() / "s").points()[0], second);
}

TEST(Session, SensitivitiesAfterOtherStepsAreNotMixed) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  {
    Session session = Session::Create(folder, SampleSettings());
    EXPECT_FALSE(session.sensitivity_steps());
    session.AddSensitivity("1,0", 2.5, 0);
    session.AddSensitivity("2,0", 0.25, 12);
    EXPECT_EQ(session.sensitivities().size(), 1u);
  }
  EXPECT_EQ(Session::Read(folder).sensitivity_steps(), 12);
  EXPECT_FALSE(Session::Read(folder).sensitivities().contains("1,0"));
  // A log of before the steps were noted.
  std::ofstream(folder / "log.jsonl", std::ios::app)
      << "{\"event\":\"sensitivity\",\"candidate\":\"1,0\",\"loss\":1}\n";
  EXPECT_EQ(Session::Read(folder).sensitivity_steps(), 0);
}

TEST(Session, RemembersWhatWasBeaten) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  {
    Session session = Session::Create(folder, SampleSettings());
    EXPECT_TRUE(session.beaten().empty());
    session.AddBeaten("1,0", 1500);
    session.AddBeaten("2,1", 500);
    session.AddBeaten("1,0", 500);  // once more, as another start may
    EXPECT_THAT(session.beaten(), testing::ElementsAre("1,0", "2,1"));
  }
  const Session resumed = Session::Resume(folder, SampleSettings());
  EXPECT_THAT(resumed.beaten(), testing::ElementsAre("1,0", "2,1"));
  EXPECT_TRUE(resumed.points().empty());
  EXPECT_THAT(ReadFile(folder / "log.jsonl"),
              HasSubstr(R"({"event":"beaten","candidate":"1,0","images":1500})"));
}

TEST(Session, FoldersThatNoPointHasAreRemovedWhenItGoesOn) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  { Session::Create(folder, SampleSettings()).AddPoint(SamplePoint("c0", 1, 0.9)); }
  for (const char* name : {"c0", "c0.1", "c1", "notes"}) {
    std::filesystem::create_directories(folder / "candidates" / name);
  }
  Session::Read(folder);  // while another process may be writing c1
  EXPECT_TRUE(std::filesystem::exists(folder / "candidates" / "c1"));
  Session::Resume(folder, SampleSettings());
  EXPECT_TRUE(std::filesystem::exists(folder / "candidates" / "c0"));
  EXPECT_TRUE(std::filesystem::exists(folder / "candidates" / "notes"));
  EXPECT_FALSE(std::filesystem::exists(folder / "candidates" / "c0.1"));
  EXPECT_FALSE(std::filesystem::exists(folder / "candidates" / "c1"));
}

TEST(Session, GoesOnAfterAKillInTheMiddleOfALine) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  { Session::Create(folder, SampleSettings()).AddSensitivity("1,0", 0.25, 12); }
  std::ofstream(folder / "log.jsonl", std::ios::app) << "{\"event\":\"sensi";
  {
    Session session = Session::Resume(folder, SampleSettings());
    EXPECT_EQ(session.sensitivities().size(), 1u);
    session.AddSensitivity("2,0", 0.5, 12);
  }
  EXPECT_EQ(Session::Read(folder).sensitivities().at("2,0"), 0.5);
}

TEST(Session, EveryPrefixOfItsLogCanBeRead) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  {
    Session session = Session::Create(folder, SampleSettings());
    session.SetOriginal(SamplePoint("original", 2, 0.9));
    session.AddPoint(SamplePoint("c0", 1, 0.9));
  }
  const std::string log = ReadFile(folder / "log.jsonl");
  for (size_t length = 0; length <= log.size(); length += 7) {
    WriteFileAtomically(folder / "log.jsonl", log.substr(0, length));
    const Session session = Session::Read(folder);
    EXPECT_LE(session.points().size(), 1u);
  }
}

TEST(Session, KeepsPreprocessingAndRefusesAnother) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  SessionSettings settings = SampleSettings();
  settings.preprocessing = PreprocessingJson(ToyDataset(2, {3, 8, 6}, 1));
  settings.metric = "agreement";
  { Session::Create(folder, settings); }
  const Session session = Session::Resume(folder, settings);
  EXPECT_EQ(session.settings(), settings);
  const auto json = nlohmann::json::parse(session.settings().preprocessing);
  EXPECT_EQ(json.at("channels"), 3);
  EXPECT_EQ(json.at("width"), 6);
  EXPECT_TRUE(json.at("resize").is_null());
  EXPECT_EQ(json.at("mean").size(), 3u);
  EXPECT_EQ(json.at("scale").dump(), "255");
  EXPECT_EQ(json.at("mean")[0].dump(), "0.4");
  EXPECT_FALSE(json.contains("classes"));
  Dataset named = ToyDataset(2, {3, 8, 6}, 1);
  named.classes = {"ape", "bee", "cat", "dog"};
  EXPECT_EQ(nlohmann::json::parse(PreprocessingJson(named)).at("classes")[3], "dog");
}

TEST(Session, AnotherPreprocessingIsAnotherSession) {
  const ScratchFolder scratch;
  SessionSettings settings = SampleSettings();
  settings.preprocessing = PreprocessingJson(ToyDataset(2, {3, 8, 6}, 1));
  { Session::Create(scratch.path() / "new", settings); }
  { Session::Create(scratch.path() / "old", SampleSettings()); }
  SessionSettings other = settings;
  other.preprocessing = PreprocessingJson(ToyDataset(2, {3, 8, 7}, 1));
  EXPECT_THAT(MessageOf([&] { Session::Resume(scratch.path() / "new", other); }),
              HasSubstr("preprocessing"));
  // One of before preprocessing was kept can be resumed.
  EXPECT_EQ(MessageOf([&] { Session::Resume(scratch.path() / "old", settings); }), "none");
}

TEST(Session, SaysWhichLineIsDamaged) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  { Session::Create(folder, SampleSettings()).AddSensitivity("1,0", 0.25, 12); }
  std::ofstream(folder / "log.jsonl", std::ios::app) << "nonsense\n";
  EXPECT_THAT(MessageOf([&] { Session::Read(folder); }), HasSubstr("log.jsonl: line 2"));
}

TEST(Session, APointCannotLeadOutOfIt) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  { Session::Create(folder, SampleSettings()).AddPoint(SamplePoint("c0", 1, 0.9)); }
  std::string log = ReadFile(folder / "log.jsonl");
  log.replace(log.find("\"c0\""), 4, "\"../../x\"");
  WriteFileAtomically(folder / "log.jsonl", log);
  EXPECT_THAT(MessageOf([&] { Session::Resume(folder, SampleSettings()); }),
              HasSubstr("log.jsonl: line 1: a point's id"));
}

TEST(Session, IsWorkedOnByOneProcessAtATime) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  const Session session = Session::Create(folder, SampleSettings());
  EXPECT_THAT(MessageOf([&] { Session::Resume(folder, SampleSettings()); }),
              HasSubstr("another process"));
}

TEST(Session, RefusesWhatDoesNotFit) {
  const ScratchFolder scratch;
  const std::filesystem::path folder = scratch.path() / "s";
  EXPECT_THAT(MessageOf([&] { Session::Read(folder); }), HasSubstr("no session"));
  EXPECT_THAT(MessageOf([&] { Session::Resume(folder, SampleSettings()); }),
              HasSubstr("no session to resume"));
  { Session::Create(folder, SampleSettings()); }
  EXPECT_THAT(MessageOf([&] { Session::Create(folder, SampleSettings()); }), HasSubstr("--resume"));
  SessionSettings other = SampleSettings();
  other.threads = 2;
  EXPECT_THAT(MessageOf([&] { Session::Resume(folder, other); }),
              HasSubstr("threads was 1 and is 2"));
  other = SampleSettings();
  other.budget_seconds = 7;
  EXPECT_EQ(Session::Resume(folder, other).settings().budget_seconds, 7);
  EXPECT_EQ(Session::SettingsOf(folder), SampleSettings());  // as it began
  other.space = "1f";
  EXPECT_THAT(MessageOf([&] { Session::Resume(folder, other); }), HasSubstr("--variants"));
  WriteFileAtomically(folder / "settings.json", "{\"schema\":9}");
  EXPECT_THAT(MessageOf([&] { Session::Read(folder); }), HasSubstr("schema 9"));
}

TEST(Front, HoldsWhatNothingBeats) {
  const ScratchFolder scratch;
  Session session = Session::Create(scratch.path() / "s", SampleSettings());
  session.SetOriginal(SamplePoint("original", 2, 0.95));
  session.AddPoint(SamplePoint("slower", 3, 0.94));   // the original beats it
  session.AddPoint(SamplePoint("equal", 1, 0.95));    // faster
  session.AddPoint(SamplePoint("beaten", 1.5, 0.9));  // by "equal"
  session.AddPoint(SamplePoint("fast", 0.5, 0.9));
  std::vector<std::string> ids;
  for (const VerifiedPoint& point : FrontOf(session)) ids.push_back(point.id);
  EXPECT_THAT(ids, testing::ElementsAre("fast", "equal"));
  const auto json = FrontJson(session);
  EXPECT_EQ(json.at("schema"), 1);
  EXPECT_EQ(json.at("original").at("id"), "original");
  EXPECT_EQ(json.at("points").at(0).at("latency_ms").at("median"), 0.5);
  EXPECT_EQ(json.at("points").at(0).at("accuracy").at("split"), "validation");
  EXPECT_EQ(json.at("points").at(0).at("changes").at(0).at("precision"), "bf16");
}

}  // namespace
}  // namespace fettle
