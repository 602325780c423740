#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <functional>

#include "fettle/database/sqlite/connection.h"
#include "tests/database/sample_records.h"

// What other processes, kills and full disks do to a database.

namespace fettle {
namespace {

// Runs `work` in a process of its own; its answer is the exit code, 99 where it throws.
pid_t Fork(const std::function<int()>& work) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int code = 99;
  try {
    code = work();
  } catch (...) {
  }
  ::_exit(code);
}

int Wait(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return status;
}

int ExitCode(pid_t child) {
  const int status = Wait(child);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

CostRecord RecordOf(int process, int64_t number) {
  CostRecord record = ConvRecord(1 + number, 1, number);
  record.provenance.who = Text("process ", process);
  return record;
}

TEST(ProcessTest, ProcessesInsertingAtOnceLoseNothing) {
  constexpr int kProcesses = 3;
  constexpr int64_t kRecords = 40;
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  std::vector<pid_t> children;
  for (int process = 0; process < kProcesses; ++process) {
    // Each makes the file, or finds it made.
    children.push_back(Fork([&] {
      CostDatabase database = OpenForWriting(path);
      for (int64_t i = 0; i < kRecords; ++i) database.Insert(RecordOf(process, i));
      return 0;
    }));
  }
  for (const pid_t child : children) EXPECT_EQ(ExitCode(child), 0);
  const CostDatabase database = OpenForWriting(path);
  EXPECT_FALSE(database.salvage());
  const std::vector<CostRecord> found = database.Find(CostFilter{});
  EXPECT_EQ(found.size(), kProcesses * kRecords);
  for (int process = 0; process < kProcesses; ++process) {
    for (int64_t i = 0; i < kRecords; ++i) {
      EXPECT_THAT(found, testing::Contains(RecordOf(process, i)));
    }
  }
}

TEST(ProcessTest, ReadersSeeWholeBatchesOnly) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  OpenForWriting(path).Insert(ManyRecords(10));
  const pid_t child = Fork([&] {
    CostDatabase database = OpenForWriting(path);
    for (int i = 0; i < 20; ++i) database.Insert(ManyRecords(10));
    return 0;
  });
  {
    const CostDatabase database = OpenForReading(path);
    for (int i = 0; i < 50; ++i) EXPECT_EQ(database.Find(CostFilter{}).size() % 10, 0U);
  }
  EXPECT_EQ(ExitCode(child), 0);
  EXPECT_EQ(OpenForReading(path).Find(CostFilter{}).size(), 210U);
}

// The child says through a pipe how many records are in, and is killed at work on the next.
TEST(ProcessTest, KillLosesAtMostTheRecordInFlight) {
  for (const int64_t records_before_kill : {0, 1, 7, 30}) {
    const TemporaryFolder folder;
    const auto path = folder / "costs.db";
    int ends[2];
    ASSERT_EQ(::pipe(ends), 0);
    const pid_t child = Fork([&] {
      CostDatabase database = OpenForWriting(path);
      for (int64_t i = 0;; ++i) {
        database.Insert(RecordOf(0, i));
        if (::write(ends[1], "x", 1) != 1) return 1;
      }
    });
    ::close(ends[1]);
    int64_t known = 0;
    char byte = 0;
    while (known < records_before_kill && ::read(ends[0], &byte, 1) == 1) ++known;
    ::kill(child, SIGKILL);
    Wait(child);
    while (::read(ends[0], &byte, 1) == 1) ++known;
    ::close(ends[0]);

    const CostDatabase database = OpenForWriting(path);
    EXPECT_FALSE(database.salvage());
    const std::vector<CostRecord> found = database.Find(CostFilter{});
    EXPECT_GE(static_cast<int64_t>(found.size()), known);
    EXPECT_LE(static_cast<int64_t>(found.size()), known + 1);
    for (size_t i = 0; i < found.size(); ++i) {
      EXPECT_EQ(found[i], RecordOf(0, static_cast<int64_t>(i)));
    }
    EXPECT_EQ(database.num_unreadable(), 0);
    EXPECT_EQ(Connection(path, ConnectionMode::kCreate).String("PRAGMA integrity_check"), "ok");
  }
}

// A process that may not write files beyond so many bytes, as on a disk that has no more.
int InsertWithin(const std::filesystem::path& path, rlim_t most_bytes) {
  ::signal(SIGXFSZ, SIG_IGN);
  CostDatabase database = OpenForWriting(path);
  const rlimit limit = {most_bytes, most_bytes};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  for (int i = 0; i < 100; ++i) {
    const std::string message =
        MessageOf(ErrorKind::kDevice, [&] { database.Insert(ManyRecords(100)); });
    if (message == "nothing thrown") continue;
    if (message.find("disk is full") == message.npos) return 2;
    if (message.find(path.string()) == message.npos) return 3;
    return database.Find(CostFilter{}).size() % 100 == 20 ? 0 : 4;  // it can still be read
  }
  return 5;
}

TEST(ProcessTest, AFullDiskLosesNothingThatWasThere) {
  for (const rlim_t most_bytes : {70'000, 300'000, 1'000'000}) {
    const TemporaryFolder folder;
    const auto path = folder / "costs.db";
    const std::vector<CostRecord> before = ManyRecords(20);
    OpenForWriting(path).Insert(before);
    EXPECT_EQ(ExitCode(Fork([&] { return InsertWithin(path, most_bytes); })), 0) << most_bytes;

    CostDatabase database = OpenForWriting(path);
    EXPECT_FALSE(database.salvage());
    std::vector<CostRecord> found = database.Find(CostFilter{});
    EXPECT_EQ(found.size() % 100, 20U) << "whole batches";
    found.resize(20);
    EXPECT_EQ(found, before);
    database.Insert(ConvRecord(8, 1));
  }
}

TEST(ProcessTest, NoRoomForANewFile) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  const pid_t child = Fork([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {5000, 5000};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string message = MessageOf(ErrorKind::kDevice, [&] { OpenForWriting(path); });
    return message.find("disk is full") != message.npos ? 0 : 1;
  });
  EXPECT_EQ(ExitCode(child), 0);
  OpenForWriting(path).Insert(ConvRecord(8, 1));
  EXPECT_EQ(OpenForReading(path).Find(CostFilter{}).size(), 1U);
}

// A database of 200 records with a hole in it.
std::string MakeDamaged(const std::filesystem::path& path) {
  OpenForWriting(path).Insert(ManyRecords(200));
  std::string bytes = ReadBytes(path);
  bytes.replace(bytes.size() / 2, 4096, 4096, '\xff');
  WriteBytes(path, bytes);
  return bytes;
}

TEST(ProcessTest, AKilledSalvageBeginsAnew) {
  const TemporaryFolder folder;
  MakeDamaged(folder / "sound.db");
  const auto kept = OpenForWriting(folder / "sound.db").salvage()->costs_kept;
  for (int milliseconds = 1; milliseconds <= 40; milliseconds += 3) {
    const TemporaryFolder other;
    const auto path = other / "costs.db";
    const std::string bytes = MakeDamaged(path);
    const pid_t child = Fork([&] {
      OpenForWriting(path);
      return 0;
    });
    ::usleep(static_cast<useconds_t>(milliseconds) * 1000);
    ::kill(child, SIGKILL);
    Wait(child);
    EXPECT_EQ(static_cast<int64_t>(OpenForWriting(path).Find(CostFilter{}).size()), kept);
    EXPECT_TRUE(Holds(other / "costs.db.damaged-1", bytes));
    EXPECT_FALSE(std::filesystem::exists(other / "costs.db.salvage-new"));
    EXPECT_FALSE(std::filesystem::exists(other / "costs.db.salvage-copy"));
  }
}

TEST(ProcessTest, NoRoomToSalvageLeavesTheDamagedFile) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  const std::string bytes = MakeDamaged(path);
  const pid_t child = Fork([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit = {bytes.size() / 2, bytes.size() / 2};
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const std::string message = MessageOf(ErrorKind::kDevice, [&] { OpenForWriting(path); });
    return message.find(path.string()) != message.npos ? 0 : 1;
  });
  EXPECT_EQ(ExitCode(child), 0);
  EXPECT_TRUE(Holds(path, bytes));
  EXPECT_TRUE(OpenForWriting(path).salvage());
}

TEST(ProcessTest, ProcessesSalvagingAtOnceAgree) {
  const TemporaryFolder folder;
  const auto path = folder / "costs.db";
  MakeDamaged(path);
  std::vector<pid_t> children;
  for (int process = 0; process < 3; ++process) {
    children.push_back(Fork([&] {
      CostDatabase database = OpenForWriting(path);
      database.Insert(RecordOf(process, 0));
      return database.salvage() ? 1 : 0;
    }));
  }
  int salvages = 0;
  for (const pid_t child : children) {
    const int code = ExitCode(child);
    EXPECT_LE(code, 1);
    salvages += code;
  }
  EXPECT_EQ(salvages, 1);
  EXPECT_FALSE(std::filesystem::exists(folder / "costs.db.damaged-2"));
  EXPECT_EQ(
      OpenForReading(path).Select("SELECT * FROM costs WHERE who LIKE 'process %'").rows.size(),
      3U);
}

}  // namespace
}  // namespace fettle
