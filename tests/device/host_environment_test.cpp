#include "fettle/device/host_environment.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <thread>

#include "tests/device/scripted_environment.h"

namespace fettle {
namespace {

const std::string kFixtures = FETTLE_DEVICE_FIXTURES;

TEST(HostEnvironmentTest, ClocksGoForward) {
  HostEnvironment host;
  EXPECT_GT(host.Tick().count(), 0);
  const auto start = host.Now();
  const auto cpu = host.CpuTime();
  host.Sleep(std::chrono::milliseconds(2));
  EXPECT_GE(host.Now() - start, std::chrono::milliseconds(2));
  volatile double sum = 0;
  for (int i = 0; i < 1'000'000; ++i) sum = sum + i;
  EXPECT_GT(host.CpuTime(), cpu);
}

TEST(HostEnvironmentTest, ReadsBelowItsRoot) {
  HostEnvironment host(kFixtures + "/x86_rapl/");
  EXPECT_EQ(host.Read("/proc/loadavg").text, "0.31 0.40 0.35 1/512 4242\n");
  EXPECT_EQ(host.List("/proc/self/task"), (std::vector<std::string>{"4242", "4243"}));
  EXPECT_EQ(RunQueueWait(host), std::chrono::nanoseconds(300'000));
  EXPECT_EQ(AllowedCpus(host), (std::vector<int>{0, 1, 2, 3}));
}

TEST(HostEnvironmentTest, SaysWhyNot) {
  HostEnvironment host(kFixtures + "/nothing");
  const FileText absent = host.Read("/proc/cpuinfo");
  EXPECT_FALSE(absent);
  EXPECT_EQ(absent.error, std::errc::no_such_file_or_directory);
  EXPECT_EQ(host.Read("/").error, std::errc::is_a_directory);
  EXPECT_EQ(host.Write("/absent", "5"), std::errc::no_such_file_or_directory);
  EXPECT_TRUE(host.List("/proc").empty());
  EXPECT_TRUE(AllowedCpus(host).empty());
  EXPECT_FALSE(RunQueueWait(host).has_value());
}

TEST(HostEnvironmentTest, WritesWhatIsThereAndNoFileWithoutEnd) {
  const std::filesystem::path root =
      std::filesystem::path(testing::TempDir()) / ("fettle_root_" + std::to_string(::getpid()));
  std::filesystem::create_directories(root);
  std::ofstream(root / "knob") << "1";
  std::filesystem::create_symlink("/dev/zero", root / "endless");
  HostEnvironment host(root.string());
  EXPECT_FALSE(host.Write("/knob", "5"));
  EXPECT_EQ(host.Read("/knob").text, "5");
  EXPECT_EQ(host.Read("/endless").error, std::errc::file_too_large);
  std::filesystem::remove_all(root);
}

TEST(HostEnvironmentTest, ThisMachineTellsWhatFettleNeeds) {
  HostEnvironment host;
  EXPECT_FALSE(AllowedCpus(host).empty());
  EXPECT_FALSE(host.Read("/proc/cpuinfo").text.empty());
}

TEST(EnvironmentTest, ReadsFilesOfOneValue) {
  ScriptedEnvironment world;
  world.Put("/value", "  42 \nsecond\n");
  world.Put("/word", "performance\n");
  world.Put("/empty", "\n");
  world.Deny("/secret");
  EXPECT_EQ(ReadLine(world, "/value"), "42");
  EXPECT_EQ(ReadInteger(world, "/value"), 42);
  EXPECT_EQ(ReadInteger(world, "/word"), std::nullopt);
  EXPECT_EQ(ReadLine(world, "/empty"), std::nullopt);
  EXPECT_EQ(ReadLine(world, "/secret"), std::nullopt);
  EXPECT_EQ(ReadInteger(world, "/absent"), std::nullopt);
}

TEST(EnvironmentTest, FindsFields) {
  const char* const text = "VmHWMs:\t1 kB\nVmHWM:\t 1612 kB \nmodel name\t: A: B\nmodel\t\t: 7\n";
  EXPECT_EQ(FieldOf(text, "VmHWM"), "1612 kB");
  EXPECT_EQ(FieldOf(text, "model name"), "A: B");
  EXPECT_EQ(FieldOf(text, "model"), "7");
  EXPECT_EQ(FieldOf(text, "absent"), std::nullopt);
  EXPECT_EQ(FieldOf("", "absent"), std::nullopt);
}

TEST(EnvironmentTest, ParsesListsOfProcessors) {
  EXPECT_EQ(ParseCpuList("0-2,5\n"), (std::vector<int>{0, 1, 2, 5}));
  EXPECT_EQ(ParseCpuList("7"), std::vector<int>{7});
  for (const char* bad : {"", ",", "0-", "-1", "a", "1;2", "0-99999999", "1-2-3"}) {
    EXPECT_TRUE(ParseCpuList(bad).empty()) << bad;
  }
}

}  // namespace
}  // namespace fettle
