#include "fettle/database/cost_database.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "fettle/database/cost_match.h"
#include "fettle/database/sqlite/connection.h"
#include "tests/database/sample_records.h"

namespace fettle {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(CostDatabaseTest, RecordsComeBackAsTheyWere) {
  const TemporaryFolder folder;
  std::vector<CostRecord> records = ManyRecords(50);
  CostRecord odd = ConvRecord(3, 1e-300);
  odd.measurement.error = std::numeric_limits<double>::infinity();
  odd.measurement.cpu_ms = -0.0;
  odd.measurement.detail = std::string("a\0b\xff\\", 5);
  odd.measurement.dropped_rounds = 3;
  odd.measurement.reference_drift = 1.0 / 3;
  odd.measurement.mode = odd.task.mode = CacheMode::kCold;
  odd.provenance.fingerprint = {};
  odd.provenance.time = -1;
  odd.task.version = 12;
  odd.provenance.who.clear();
  odd.waited_ms = 0.125;
  records.push_back(odd);
  {
    CostDatabase database = OpenForWriting(folder / "costs.db");
    database.Insert(records);
    EXPECT_EQ(database.Find(CostFilter{}), records);
    EXPECT_FALSE(database.salvage());
  }
  const CostDatabase database = OpenForReading(folder / "costs.db");
  EXPECT_EQ(database.Find(CostFilter{}), records);
  EXPECT_EQ(database.num_unreadable(), 0);
}

TEST(CostDatabaseTest, ErrorThatIsNotANumber) {
  const TemporaryFolder folder;
  CostDatabase database = OpenForWriting(folder / "costs.db");
  CostRecord record = ConvRecord(3, 1);
  record.measurement = Failed(MeasurementStatus::kWrongResult);
  record.measurement.error = std::nan("");
  database.Insert(record);
  const std::vector<CostRecord> found = database.Find(CostFilter{});
  ASSERT_EQ(found.size(), 1U);
  EXPECT_TRUE(std::isnan(found[0].measurement.error));
  EXPECT_EQ(found[0].measurement.status, MeasurementStatus::kWrongResult);
}

TEST(CostDatabaseTest, ReordersAreLayers) {
  const TemporaryFolder folder;
  CostDatabase database = OpenForWriting(folder / "costs.db");
  CostRecord record = ConvRecord(3, 1);
  record.task.key.text = "reorder() in=f32[1x64x8x8] out=bf16[1x64x8x8]";
  record.task.implementation = "onednn.reorder";
  record.task.output = Layout::kPlain;
  database.Insert(record);
  EXPECT_THAT(database.Find(record.task.key), ElementsAre(record));
  EXPECT_THAT(database.Find(CostFilter{.op = "reorder", .dtype = DType::kF32}),
              ElementsAre(record));
}

TEST(CostDatabaseTest, LooksUpByTheWholeTask) {
  const TemporaryFolder folder;
  CostDatabase database = OpenForWriting(folder / "costs.db");
  const CostRecord record = ConvRecord(8, 1);
  database.Insert(record);
  const CostQuery query = {record.task, Board()};
  EXPECT_EQ(database.LookUp(query).quality, MatchQuality::kExact);
  EXPECT_EQ(database.LookUp(query).record, record);

  const auto quality_with = [&](const auto& change) {
    CostQuery changed = query;
    change(changed.task);
    return database.LookUp(changed).quality;
  };
  using Task = LayerTask;
  EXPECT_EQ(quality_with([](Task& t) { t.key = ConvKey(9); }), MatchQuality::kNone);
  EXPECT_EQ(quality_with([](Task& t) { t.implementation = "onednn.conv"; }), MatchQuality::kNone);
  EXPECT_EQ(quality_with([](Task& t) { t.inputs[0] = Layout::kPlain; }), MatchQuality::kNone);
  EXPECT_EQ(quality_with([](Task& t) { t.output = Layout::kPlain; }), MatchQuality::kNone);
  EXPECT_EQ(quality_with([](Task& t) { t.threads = 1; }), MatchQuality::kNone);
  EXPECT_EQ(quality_with([](Task& t) { t.mode = CacheMode::kCold; }), MatchQuality::kNone);
  EXPECT_EQ(quality_with([](Task& t) { t.version = 2; }), MatchQuality::kOtherVersion);
  EXPECT_EQ(database.LookUp({record.task, OtherBoard()}).quality, MatchQuality::kOtherDevice);
}

TEST(CostDatabaseTest, LooksUpTheNewestAmongEquals) {
  const TemporaryFolder folder;
  CostDatabase database = OpenForWriting(folder / "costs.db");
  database.Insert(std::vector{ConvRecord(8, 1, 100), ConvRecord(8, 2, 300), ConvRecord(8, 3, 200)});
  EXPECT_EQ(database.LookUp({ConvRecord(8, 1).task, Board()}).record, ConvRecord(8, 2, 300));
}

// Five hundred measurements of one layer, by two versions under several conditions, some of them
// accidents: a look-up, which reads only the newest of each sort, answers as if it read them all.
std::vector<CostRecord> Remeasurements() {
  std::vector<CostRecord> records;
  for (int64_t i = 0; i < 500; ++i) {
    CostRecord record = ConvRecord(100, 1 + 0.001 * static_cast<double>(i), 1'000 + i * 7919 % 490);
    record.waited_ms = 0.001 * static_cast<double>(i);
    record.task.version = i % 11 < 4 ? 1 : 2;
    if (i % 5 == 1) record.provenance.fingerprint = OtherBoard();
    if (i % 7 == 2) record.provenance.fingerprint.libraries["onednn"] = "3.0";
    if (i % 13 == 3) record.provenance.fingerprint.governor = "powersave";
    if (i % 17 == 4) record.measurement.status = MeasurementStatus::kUnstable;
    if (i % 19 == 5) record.measurement = Failed(MeasurementStatus::kWrongResult);
    if (i % 23 == 6) record.measurement = Failed(MeasurementStatus::kCrashed);
    records.push_back(std::move(record));
  }
  return records;
}

// One for each way in which a question may be met.
std::vector<CostQuery> QueriesOf(const CostRecord& record) {
  std::vector<CostQuery> queries;
  for (const int version : {1, 2, 3}) {
    for (const Fingerprint& board : {Board(), OtherBoard(), Fingerprint()}) {
      CostQuery query{record.task, board};
      query.task.version = version;
      queries.push_back(query);
      query.fingerprint.libraries["onednn"] = "3.0";
      queries.push_back(query);
    }
  }
  return queries;
}

TEST(CostDatabaseTest, LooksUpAmongHundredsOfRemeasurements) {
  const TemporaryFolder folder;
  CostDatabase database = OpenForWriting(folder / "costs.db");
  const std::vector<CostRecord> records = Remeasurements();
  database.Insert(ManyRecords(50));
  database.Insert(records);
  for (const CostQuery& query : QueriesOf(records[0])) {
    const CostMatch expected = BestMatch(records, query), found = database.LookUp(query);
    EXPECT_EQ(found.quality, expected.quality);
    EXPECT_EQ(found.record, expected.record);
  }
  EXPECT_EQ(database.num_unreadable(), 0);
}

TEST(CostDatabaseTest, AnOlderRecordAnswersInThePlaceOfAnAlteredOne) {
  const TemporaryFolder folder;
  const CostRecord older = ConvRecord(8, 1, 1000), newer = ConvRecord(8, 2, 2000);
  OpenForWriting(folder / "costs.db").Insert(std::vector{older, newer});
  Connection(folder / "costs.db", ConnectionMode::kCreate)
      .Execute("UPDATE cost SET waited_ms = 0.5 WHERE time = 2000");
  const CostDatabase database = OpenForReading(folder / "costs.db");
  EXPECT_EQ(database.LookUp({older.task, Board()}).record, older);
  EXPECT_EQ(database.num_unreadable(), 1);
}

TEST(CostDatabaseTest, FindsByEachFieldOfTheFilter) {
  const TemporaryFolder folder;
  CostDatabase database = OpenForWriting(folder / "costs.db");
  const CostRecord plain = ConvRecord(8, 1);
  CostRecord device = ConvRecord(8, 2), threads = ConvRecord(8, 3), mode = ConvRecord(8, 4),
             layer = ConvRecord(9, 5), dtype = ConvRecord(8, 6), primitive = ConvRecord(8, 7),
             op = ConvRecord(8, 8);
  device.provenance.fingerprint = OtherBoard();
  threads.task.threads = 1;
  mode.task.mode = mode.measurement.mode = CacheMode::kCold;
  dtype.task.key = ConvKey(8, DType::kBF16);
  primitive.task.implementation = "onednn.convolution";
  op.task.key.text = "softmax(axis=1) in=f32[1x10] out=f32[1x10]";
  database.Insert(std::vector{plain, device, threads, mode, layer, dtype, primitive, op});

  const auto find = [&](const CostFilter& filter) { return database.Find(filter); };
  EXPECT_EQ(find({}).size(), 8U);
  EXPECT_THAT(find({.device = DeviceId(OtherBoard())}), ElementsAre(device));
  EXPECT_THAT(find({.threads = 1}), ElementsAre(threads));
  EXPECT_THAT(find({.mode = CacheMode::kCold}), ElementsAre(mode));
  EXPECT_THAT(find({.op = "softmax"}), ElementsAre(op));
  EXPECT_THAT(find({.layer = "in=f32[1x9x"}), ElementsAre(layer));
  EXPECT_THAT(find({.layer = "%"}), IsEmpty());
  EXPECT_THAT(find({.dtype = DType::kBF16}), ElementsAre(dtype));
  EXPECT_THAT(find({.primitive = "onednn.convolution"}), ElementsAre(primitive));
  EXPECT_EQ(find({.primitive = "onednn"}).size(), 8U);
  EXPECT_EQ(find({.primitive = "onednn.conv"}).size(), 7U);
  EXPECT_EQ(find({.primitive = "onednn.conv:jit"}).size(), 7U);
  EXPECT_THAT(find({.primitive = "onednn.con"}), IsEmpty());
  EXPECT_THAT(find({.threads = 1, .op = "softmax"}), IsEmpty());
  EXPECT_EQ(database.Find(ConvKey(8)).size(), 5U);
}

TEST(CostDatabaseTest, Networks) {
  const TemporaryFolder folder;
  CostDatabase database = OpenForWriting(folder / "costs.db");
  const NetworkRecord first = SampleNetwork("plan-a", 2);
  NetworkRecord second = SampleNetwork("plan-a", 3);
  second.peak_bytes.reset();
  second.energy_mj.reset();
  database.Insert(std::vector{first, second, SampleNetwork("plan-b", 4)});
  EXPECT_THAT(database.FindNetworks("plan-a"), ElementsAre(first, second));
  EXPECT_THAT(database.FindNetworks("plan-"), IsEmpty());
}

TEST(CostDatabaseTest, WhatWasNotWrittenByUsIsPassedOver) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  {
    CostDatabase database = OpenForWriting(path);
    database.Insert(ManyRecords(10));
  }
  std::string bytes = ReadBytes(path);
  const size_t place = bytes.find("onednn.conv:jit:avx2");
  ASSERT_NE(place, bytes.npos);
  for (size_t at = place; at != bytes.npos; at = bytes.find("onednn.conv:jit:avx2", at)) {
    bytes[at + 19] = '9';  // a sound file with another name in it
  }
  WriteBytes(path, bytes);
  const CostDatabase database = OpenForWriting(path);
  EXPECT_FALSE(database.salvage());
  for (const CostRecord& record : database.Find(CostFilter{})) {
    EXPECT_EQ(record.task.implementation, "openblas.im2col_conv");
  }
  EXPECT_EQ(database.num_unreadable(), 7);
}

TEST(CostDatabaseTest, MakesTheFolderOnlyForWriting) {
  const TemporaryFolder folder;
  EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { OpenForReading(folder / "a/b/costs.db"); }),
              HasSubstr("no such file"));
  EXPECT_FALSE(std::filesystem::exists(folder / "a"));
  OpenForWriting(folder / "a/b/costs.db").Insert(ConvRecord(8, 1));
  EXPECT_EQ(OpenForReading(folder / "a/b/costs.db").Find(CostFilter{}).size(), 1U);
}

TEST(CostDatabaseTest, NamesThatSqliteWouldTakeForSomethingElse) {
  const TemporaryFolder folder;
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(folder.path());
  for (const char* name : {":memory:", "file:x?mode=memory", "a b%41?#.db"}) {
    OpenForWriting(name).Insert(ConvRecord(8, 1));
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
    EXPECT_EQ(OpenForReading(name).Find(CostFilter{}).size(), 1U) << name;
    EXPECT_EQ(OpenForReading(name).Select("SELECT * FROM costs").rows.size(), 1U) << name;
  }
  std::filesystem::current_path(before);
}

TEST(CostDatabaseTest, RefusesWhatIsNoCostDatabaseAndLeavesIt) {
  const TemporaryFolder folder;
  const auto text = folder / "model.onnx", short_text = folder / "short";
  WriteBytes(text, std::string(5000, 'x'));
  WriteBytes(short_text, "hello");
  for (const auto& path : {text, short_text}) {
    const std::string before = ReadBytes(path);
    EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { OpenForWriting(path); }),
                AllOf(HasSubstr(path.string()), HasSubstr("no cost database")));
    EXPECT_TRUE(Holds(path, before));
    EXPECT_NE(MessageOf(ErrorKind::kBadInput, [&] { OpenForReading(path); }), "nothing thrown");
  }
  for (const auto& open : {OpenForReading, OpenForWriting}) {
    EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { open(folder.path()); }),
                HasSubstr(folder.path().string()));
  }
  EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { OpenForWriting(text / "costs.db"); }),
              HasSubstr("cannot be made"));
}

TEST(CostDatabaseTest, ReadingChangesNothing) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  OpenForWriting(path).Insert(ManyRecords(20));
  const std::string before = ReadBytes(path);
  {
    const CostDatabase database = OpenForReading(path);
    EXPECT_EQ(database.Find(CostFilter{}).size(), 20U);
  }
  EXPECT_TRUE(Holds(path, before));
}

TEST(CostDatabaseTest, ReadsWhereNothingMayBeWritten) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may write everywhere";
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  OpenForWriting(path).Insert(ManyRecords(20));
  namespace fs = std::filesystem;
  fs::permissions(path, fs::perms::owner_read);
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec);
  EXPECT_EQ(OpenForReading(path).Find(CostFilter{}).size(), 20U);
  EXPECT_EQ(OpenForReading(path).Select("SELECT * FROM costs").rows.size(), 20U);
  EXPECT_NE(MessageOf(ErrorKind::kBadInput, [&] { OpenForWriting(path); }), "nothing thrown");
  fs::permissions(folder.path(), fs::perms::owner_all);
}

TEST(CostDatabaseTest, SaysSoWhenItsFileIsReplaced) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  CostDatabase database = OpenForWriting(path);
  database.Insert(ConvRecord(8, 1));
  std::filesystem::rename(path, folder / "moved.db");
  EXPECT_THAT(MessageOf(ErrorKind::kDevice, [&] { database.Insert(ConvRecord(8, 2)); }),
              HasSubstr("replaced"));
}

}  // namespace
}  // namespace fettle
