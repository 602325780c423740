#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "fettle/database/sqlite/connection.h"
#include "fettle/database/sqlite/schema.h"
#include "tests/database/sample_records.h"

// The file's format: versions, and old files kept as fixtures.

namespace fettle {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::array<std::string_view, 3> kSteps = {
    "CREATE TABLE word(text TEXT NOT NULL) STRICT; INSERT INTO word VALUES('one')",
    "ALTER TABLE word ADD COLUMN length INTEGER; UPDATE word SET length = length(text)",
    "CREATE VIEW words AS SELECT text FROM word WHERE length > 2",
};

std::span<const std::string_view> FirstSteps(size_t count) {
  return std::span(kSteps).first(count);
}

Connection Connect(const std::filesystem::path& path) {
  return Connection(path, ConnectionMode::kCreate);
}

TEST(MigrationTest, TakesAFileFromAnyVersionToTheNewest) {
  for (const size_t start : {0U, 1U, 2U, 3U}) {
    const TemporaryFolder folder;
    Connection connection = Connect(folder / "words.db");
    if (start > 0) Migrate(&connection, FirstSteps(start));
    EXPECT_EQ(connection.Integer("PRAGMA user_version"), static_cast<int64_t>(start));
    Migrate(&connection, kSteps);
    EXPECT_EQ(connection.Integer("PRAGMA user_version"), 3);
    EXPECT_EQ(connection.Integer("PRAGMA application_id"), kApplicationId);
    EXPECT_EQ(connection.String("SELECT text FROM words"), "one");
    Migrate(&connection, kSteps);
    EXPECT_EQ(connection.Integer("SELECT count(*) FROM word"), 1);
  }
}

TEST(MigrationTest, AStepThatFailsLeavesTheFileAsItWas) {
  const TemporaryFolder folder;
  Connection connection = Connect(folder / "words.db");
  Migrate(&connection, FirstSteps(1));
  const std::array<std::string_view, 3> faulty = {kSteps[0], kSteps[1], "CREATE TABLE word(x)"};
  EXPECT_THROW(Migrate(&connection, faulty), Error);
  EXPECT_EQ(connection.Integer("PRAGMA user_version"), 1);
  EXPECT_EQ(connection.Integer("SELECT count(*) FROM pragma_table_info('word')"), 1);
}

TEST(MigrationTest, ReadingAnOlderFormatSaysWhatHelps) {
  const TemporaryFolder folder;
  Connection connection = Connect(folder / "words.db");
  Migrate(&connection, FirstSteps(1));
  EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { RequireVersion(connection, 3); }),
              AllOf(HasSubstr("words.db"), HasSubstr("format (1"), HasSubstr("this is 3"),
                    HasSubstr("for writing once")));
  RequireVersion(connection, 1);
}

TEST(FormatTest, RefusesANewerFormatAndLeavesIt) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  OpenForWriting(path).Insert(ConvRecord(8, 1));
  Connect(path).Execute("PRAGMA user_version=77");
  const std::string before = ReadBytes(path);
  for (const auto& open : {OpenForReading, OpenForWriting}) {
    EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { open(path); }),
                AllOf(HasSubstr(path.string()), HasSubstr("format 77"),
                      HasSubstr(Text("up to ", SchemaSteps().size())), HasSubstr("update Fettle")));
  }
  EXPECT_TRUE(Holds(path, before));
}

TEST(FormatTest, RefusesAnotherApplicationsFileAndLeavesIt) {
  const TemporaryFolder folder;
  const auto path = folder / "songs.db";
  Connect(path).Execute("CREATE TABLE song(title); INSERT INTO song VALUES('Yesterday')");
  const std::string before = ReadBytes(path);
  for (const auto& open : {OpenForReading, OpenForWriting}) {
    EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { open(path); }),
                AllOf(HasSubstr("songs.db"), HasSubstr("no cost database")));
  }
  EXPECT_TRUE(Holds(path, before));
}

TEST(FormatTest, ReadingAnEmptyFileSaysSo) {
  const TemporaryFolder folder;
  WriteBytes(folder / "costs.db", "");
  EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { OpenForReading(folder / "costs.db"); }),
              HasSubstr("empty"));
}

TEST(FormatTest, TheFirstPageHoldsTheWholeSchema) {
  const TemporaryFolder folder;
  OpenForWriting(folder / "costs.db").Insert(ConvRecord(8, 1));
  const std::string bytes = ReadBytes(folder / "costs.db");
  // A leaf of a table's tree, not a page that refers to others: salvage replaces it as a whole.
  EXPECT_EQ(bytes[100], 13);
}

TEST(FormatTest, FilesAreSound) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  {
    CostDatabase database = OpenForWriting(path);
    database.Insert(ManyRecords(100));
    database.Insert(SampleNetwork("plan", 1));
  }
  Connection connection = Connect(path);
  EXPECT_EQ(connection.String("PRAGMA integrity_check"), "ok");
  EXPECT_EQ(connection.String("PRAGMA journal_mode"), "wal");
  EXPECT_EQ(connection.Integer("SELECT count(*) FROM pragma_foreign_key_check"), 0);
  EXPECT_EQ(connection.Integer("SELECT count(*) FROM pragma_table_list "
                               "WHERE schema='main' AND type='table' AND name NOT LIKE 'sqlite%' "
                               "AND NOT strict"),
            0);
}

// What the fixture of a version holds. Frozen, numbers and all: a later version must read it as
// this.
std::vector<CostRecord> FixtureCosts(size_t version) {
  CostRecord timed;
  timed.task = {{"conv(kernel=3x3,strides=1x1,dilations=1x1,pads_begin=1x1,pads_end=1x1,groups=1) "
                 "in=f32[1x64x56x56] weights=f32[64x64x3x3] out=f32[1x64x56x56]"},
                "onednn.conv:jit:avx512_core",
                3,
                {Layout::kBlocked16},
                Layout::kBlocked16,
                2,
                CacheMode::kHot};
  timed.measurement.status = MeasurementStatus::kOk;
  timed.measurement.samples_ms = {0.61, 0.6125, 0.1 + 0.2, 0.615, 0.62, 0.613};
  timed.measurement.latency_ms = Interval{0.61275, 0.30000000000000004, 0.62};
  timed.measurement.cpu_ms = 1.1875;
  timed.measurement.reference_drift = 1.0625;
  timed.measurement.error = 1e-06;
  timed.measurement.dropped_rounds = 1;
  timed.measurement.workspace_bytes = 65536;
  timed.measurement.weight_bytes = 147456;
  timed.provenance.fingerprint.cpu_model = "Fixture CPU @ 2.10GHz";
  timed.provenance.fingerprint.isa = {"avx2", "avx512"};
  timed.provenance.fingerprint.cores = 2;
  timed.provenance.fingerprint.cache_bytes = {32768, 2097152, 110100480};
  timed.provenance.fingerprint.memory_bytes = 8589934592;
  timed.provenance.fingerprint.system = "Linux 6.1.0-18-amd64";
  timed.provenance.fingerprint.governor = "performance";
  timed.provenance.fingerprint.libraries = {{"onednn", "2.6.3"}, {"openblas", "0.3.21"}};
  timed.provenance.time = 1790000000;
  timed.provenance.who = "fixture";

  CostRecord crashed = timed;
  if (version >= 2) timed.waited_ms = 0.015625;
  crashed.task.key.text = "reorder() in=f32[1x64x8x8] out=bf16[1x64x8x8]";
  crashed.task.implementation = "own.reorder";
  crashed.task.mode = CacheMode::kCold;
  crashed.measurement = {};
  crashed.measurement.status = MeasurementStatus::kCrashed;
  crashed.measurement.mode = CacheMode::kCold;
  crashed.measurement.detail = "signal 11";
  return {timed, crashed};
}

NetworkRecord FixtureNetwork(size_t version) {
  NetworkRecord network;
  network.plan = "0123456789abcdef";
  network.network = "tiny";
  network.threads = 2;
  const CostRecord timed = FixtureCosts(version)[0];
  network.measurement = timed.measurement;
  network.waited_ms = timed.waited_ms;
  network.measurement.mode = CacheMode::kInNetwork;
  network.planned_bytes = 1234567;
  network.energy_mj = Interval{2.5, 2.25, 2.75};
  network.provenance = timed.provenance;
  return network;
}

// Makes the fixture of a new version, in the working folder: --gtest_also_run_disabled_tests.
TEST(FormatTest, DISABLED_MakeFixture) {
  const std::string name = Text("v", SchemaSteps().size(), ".db");
  CostDatabase database = OpenForWriting(name);
  database.Insert(FixtureCosts(SchemaSteps().size()));
  database.Insert(FixtureNetwork(SchemaSteps().size()));
}

TEST(FormatTest, ReadsEveryVersionThereHasBeen) {
  for (size_t version = 1; version <= SchemaSteps().size(); ++version) {
    const TemporaryFolder folder;
    const auto path = folder / "costs.db";
    const std::string name = Text("v", version, ".db");
    std::filesystem::copy_file(std::filesystem::path(FETTLE_FIXTURES) / name, path);
    const CostDatabase database = OpenForWriting(path);
    EXPECT_FALSE(database.salvage()) << name;
    EXPECT_EQ(database.Find(CostFilter{}), FixtureCosts(version)) << name;
    EXPECT_THAT(database.FindNetworks("0123456789abcdef"), ElementsAre(FixtureNetwork(version)))
        << name;
  }
}

}  // namespace
}  // namespace fettle
