#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "fettle/core/random.h"
#include "fettle/database/sqlite/json_columns.h"
#include "fettle/database/sqlite/schema.h"
#include "tests/database/sample_records.h"

namespace fettle {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr int64_t kRecords = 150;
constexpr size_t kPage = kPageBytes;

// The bytes of a sound database with kRecords costs and one network.
const std::string& SoundBytes() {
  static const std::string bytes = [] {
    const TemporaryFolder folder;
    {
      CostDatabase database = OpenForWriting(folder / "costs.db");
      database.Insert(ManyRecords(kRecords));
      database.Insert(SampleNetwork("plan", 1));
    }
    return ReadBytes(folder / "costs.db");
  }();
  return bytes;
}

struct Outcome {
  bool is_refused = false;
  std::vector<CostRecord> costs;
  std::vector<NetworkRecord> networks;
  std::optional<Salvage> salvage;
};

// Opens a file of these bytes as a session would, and goes on with it. Whatever is found must be
// what was once written.
Outcome OpenDamaged(const std::string& bytes) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  WriteBytes(path, bytes);
  Outcome outcome;
  try {
    CostDatabase database = OpenForWriting(path);
    outcome.salvage = database.salvage();
    outcome.costs = database.Find(CostFilter{});
    outcome.networks = database.FindNetworks("plan");
    database.Insert(ConvRecord(8, 77));
    EXPECT_EQ(database.Find(CostFilter{}).size(), outcome.costs.size() + 1);
    if (outcome.salvage) {
      EXPECT_EQ(outcome.salvage->costs_kept, static_cast<int64_t>(outcome.costs.size()));
      EXPECT_EQ(outcome.salvage->networks_kept, static_cast<int64_t>(outcome.networks.size()));
      EXPECT_EQ(outcome.salvage->damaged_file, folder / "costs.db.damaged-1");
      EXPECT_TRUE(Holds(folder / "costs.db.damaged-1", bytes)) << "kept as it was";
      size_t files = 0;
      for ([[maybe_unused]] const auto& entry :
           std::filesystem::directory_iterator(folder.path())) {
        ++files;
      }
      EXPECT_EQ(files, 4U) << "the database with its log and index, and the damaged one";
    }
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    outcome.is_refused = true;
    EXPECT_TRUE(Holds(path, bytes)) << "left as it was";
  }
  const std::vector<CostRecord> all = ManyRecords(kRecords);
  for (const CostRecord& record : outcome.costs) {
    EXPECT_NE(std::find(all.begin(), all.end(), record), all.end()) << "altered";
  }
  return outcome;
}

TEST(SalvageTest, KeepsEverythingButTheRowsOfALostPage) {
  const size_t pages = SoundBytes().size() / kPage;
  size_t whole = 0, partly = 0;
  for (size_t page = 1; page < pages; ++page) {
    std::string bytes = SoundBytes();
    bytes.replace(page * kPage, kPage, kPage, '\xff');
    const Outcome outcome = OpenDamaged(bytes);
    ASSERT_TRUE(outcome.salvage) << page;
    EXPECT_LE(outcome.salvage->costs_kept + outcome.salvage->costs_lost, kRecords) << page;
    whole += outcome.costs.size() == kRecords ? 1 : 0;  // an index, say
    partly += outcome.costs.size() >= 100 ? 1 : 0;
  }
  // The others are the roots of tables, and what many records share: layers, conditions.
  EXPECT_GT(whole, 5U);
  EXPECT_GT(partly, pages / 2);
}

TEST(SalvageTest, CountsTheGapsThatLostRowsLeave) {
  // The page that holds the middle record's numbers.
  const Measurement middle = ManyRecords(kRecords)[kRecords / 2].measurement;
  std::string bytes = SoundBytes();
  const size_t place = bytes.find(JsonText(middle.samples_ms));
  ASSERT_NE(place, bytes.npos);
  bytes.replace(place / kPage * kPage, kPage, kPage, '\xff');
  const Outcome outcome = OpenDamaged(bytes);
  ASSERT_TRUE(outcome.salvage);
  EXPECT_GT(outcome.salvage->costs_lost, 0);
  EXPECT_LT(outcome.salvage->costs_lost, 60);
  EXPECT_EQ(outcome.salvage->costs_kept + outcome.salvage->costs_lost, kRecords);
}

TEST(SalvageTest, KeepsEverythingWithoutTheFirstPage) {
  std::string bytes = SoundBytes();
  for (const size_t start : {size_t{0}, size_t{16}, size_t{100}}) {
    bytes = SoundBytes();
    // The application's id tells whose the file was.
    for (size_t i = start; i < kPage; ++i) {
      if (i < 68 || i >= 72) bytes[i] = '\xff';
    }
    const Outcome outcome = OpenDamaged(bytes);
    ASSERT_TRUE(outcome.salvage) << start;
    EXPECT_EQ(outcome.costs, ManyRecords(kRecords)) << start;
    EXPECT_THAT(outcome.networks, ElementsAre(SampleNetwork("plan", 1))) << start;
  }
}

TEST(SalvageTest, SurvivesEveryByteOfTheHeader) {
  size_t refused = 0;
  for (size_t place = 0; place < 108; ++place) {
    std::string bytes = SoundBytes();
    bytes[place] = static_cast<char>(bytes[place] ^ (place % 3 == 0 ? 0xff : 1 << place % 8));
    const Outcome outcome = OpenDamaged(bytes);
    refused += outcome.is_refused ? 1 : 0;
    // Nothing tells a damaged version from a newer one.
    EXPECT_TRUE(!outcome.is_refused || (place >= 60 && place < 64)) << place;
    EXPECT_EQ(outcome.costs.size(), outcome.is_refused ? 0 : kRecords) << place;
  }
  EXPECT_LE(refused, 4U);
}

TEST(SalvageTest, SurvivesFlippedBytesAnywhere) {
  Random random(1);
  for (int round = 0; round < 64; ++round) {
    std::string bytes = SoundBytes();
    const int flips = 1 << (round % 8);
    for (int i = 0; i < flips; ++i) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    OpenDamaged(bytes);
  }
}

TEST(SalvageTest, OneFlippedByteCostsNoMoreThanAPage) {
  Random random(2);
  for (int round = 0; round < 40; ++round) {
    std::string bytes = SoundBytes();
    // Beyond the tables that records share; those come first.
    const size_t place = bytes.size() / 2 + random.Below(bytes.size() / 2);
    bytes[place] = static_cast<char>(bytes[place] ^ (1 << random.Below(8)));
    const Outcome outcome = OpenDamaged(bytes);
    EXPECT_GE(outcome.costs.size(), size_t{100}) << place;
  }
}

TEST(SalvageTest, SurvivesTruncation) {
  std::set<size_t> sizes = {1, 5, 16, 50, 99, 100, 101, 512, kPage - 1, kPage, kPage + 1};
  Random random(3);
  for (int i = 0; i < 12; ++i) sizes.insert(random.Below(SoundBytes().size()));
  for (size_t pages = 2; pages < SoundBytes().size() / kPage; pages += 4)
    sizes.insert(pages * kPage);
  sizes.erase(0);
  size_t most = 0;
  for (const size_t size : sizes) {
    const Outcome outcome = OpenDamaged(SoundBytes().substr(0, size));
    EXPECT_FALSE(outcome.is_refused) << size;
    // What is shorter than any page is an empty file to SQLite.
    EXPECT_TRUE(outcome.salvage || size < 512) << size;
    EXPECT_GE(outcome.costs.size() + 20, most) << "a longer file has no fewer records";
    most = std::max(most, outcome.costs.size());
  }
  EXPECT_GT(most, 100U);
}

TEST(SalvageTest, KeepsWhatOnlyTheLogHolds) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db", snapshot = folder / "snapshot.db";
  CostDatabase database = OpenForWriting(path);
  database.Insert(ManyRecords(20));
  // As a kill would leave it: the records are in the log, and the file is damaged.
  std::string bytes = ReadBytes(path);
  const std::string log = ReadBytes(folder / "costs.db-wal");
  ASSERT_GT(log.size(), 0U);
  bytes[0] = 'x';
  bytes[18] = 'x';
  WriteBytes(snapshot, bytes);
  WriteBytes(folder / "snapshot.db-wal", log);
  const CostDatabase rescued = OpenForWriting(snapshot);
  EXPECT_EQ(rescued.Find(CostFilter{}), ManyRecords(20));
  ASSERT_TRUE(rescued.salvage());
  EXPECT_TRUE(Holds(folder / "snapshot.db.damaged-1-wal", log));
}

TEST(SalvageTest, NumbersTheDamagedFiles) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  for (const char* name : {"costs.db.damaged-1", "costs.db.damaged-2"}) {
    std::string bytes = SoundBytes();
    bytes[kPage] = '\xff';
    WriteBytes(path, bytes);
    const CostDatabase database = OpenForWriting(path);
    ASSERT_TRUE(database.salvage());
    EXPECT_EQ(database.salvage()->damaged_file, folder / name);
    EXPECT_THAT(database.salvage()->reason, HasSubstr("damaged"));
    EXPECT_TRUE(std::filesystem::exists(folder / name));
    EXPECT_FALSE(OpenForWriting(path).salvage()) << "done once";
  }
}

TEST(SalvageTest, ReadingADamagedFileSaysWhatHelps) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  std::string bytes = SoundBytes();
  bytes.replace(100, kPage - 100, kPage - 100, '\xff');
  WriteBytes(path, bytes);
  EXPECT_THAT(MessageOf(ErrorKind::kBadInput, [&] { OpenForReading(path); }),
              HasSubstr("opening it for writing"));
  EXPECT_TRUE(Holds(path, bytes));
}

TEST(SalvageTest, ReadingSurvivesFlippedBytes) {
  Random random(4);
  const std::vector<CostRecord> all = ManyRecords(kRecords);
  for (int round = 0; round < 100; ++round) {
    const TemporaryFolder folder;
    const auto path = folder / "costs.db";
    std::string bytes = SoundBytes();
    for (int i = 0; i < 1 << (round % 8); ++i) {
      bytes[random.Below(bytes.size())] = static_cast<char>(random.Below(256));
    }
    WriteBytes(path, bytes);
    try {
      const CostDatabase database = OpenForReading(path);
      for (const CostRecord& record : database.Find(CostFilter{})) {
        EXPECT_NE(std::find(all.begin(), all.end(), record), all.end()) << "altered";
      }
      for (const CostRecord& record : all) {
        database.LookUp({record.task, record.provenance.fingerprint});
      }
      database.Select("SELECT * FROM current_costs");
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::kBadInput) << error.what();
    }
  }
}

}  // namespace
}  // namespace fettle
