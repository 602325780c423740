#include "fettle/device/fingerprint_host.h"

#include <gtest/gtest.h>

#include "fettle/device/host_environment.h"
#include "tests/device/scripted_environment.h"

namespace fettle {
namespace {

const std::string kFixtures = FETTLE_DEVICE_FIXTURES;

Fingerprint FingerprintOf(const std::string& fixture) {
  HostEnvironment environment(kFixtures + "/" + fixture);
  Target target;
  target.has_avx2 = true;
  return HostFingerprint(environment, target, {{"onednn", "2.6.3"}});
}

TEST(FingerprintHostTest, OfADesktop) {
  const Fingerprint fingerprint = FingerprintOf("x86_rapl");
  EXPECT_EQ(fingerprint.cpu_model, "Intel(R) Core(TM) i5-6500 CPU @ 3.20GHz");
  EXPECT_EQ(fingerprint.isa, std::vector<std::string>{"avx2"});
  EXPECT_EQ(fingerprint.cores, 4);
  EXPECT_EQ(fingerprint.cache_bytes, (std::vector<int64_t>{32 << 10, 256 << 10, 6 << 20}));
  EXPECT_EQ(fingerprint.memory_bytes, int64_t{32594432} * 1024);
  EXPECT_EQ(fingerprint.system, "Linux 6.1.0-18-amd64");
  EXPECT_EQ(fingerprint.governor, "powersave");
  EXPECT_EQ(fingerprint.libraries.at("onednn"), "2.6.3");
}

TEST(FingerprintHostTest, OfABoard) {
  const Fingerprint fingerprint = FingerprintOf("arm_board");
  EXPECT_EQ(fingerprint.cpu_model, "Raspberry Pi 4 Model B Rev 1.4 (0x41:0xd08)");
  EXPECT_EQ(fingerprint.cores, 2);
  EXPECT_EQ(fingerprint.cache_bytes, (std::vector<int64_t>{32 << 10, 1 << 20}));
  EXPECT_EQ(fingerprint.governor, "ondemand");
}

TEST(FingerprintHostTest, OfAMachineThatTellsNothing) {
  const Fingerprint fingerprint = FingerprintOf("nothing");
  EXPECT_EQ(fingerprint.cpu_model, "unknown");
  EXPECT_EQ(fingerprint.cores, 0);
  EXPECT_TRUE(fingerprint.cache_bytes.empty());
  EXPECT_EQ(fingerprint.memory_bytes, 0);
  EXPECT_EQ(fingerprint.system, "unknown");
  EXPECT_EQ(fingerprint.governor, "");
}

TEST(FingerprintHostTest, OddFilesDoNoHarm) {
  ScriptedEnvironment world;
  world.Put("/proc/cpuinfo", "model name\t:\nCPU part\t: 0xd03\n\xff\xfe:::\n");
  world.Put("/proc/meminfo", "MemTotal: lots\n");
  world.Put("/proc/self/status", "Cpus_allowed_list:\t4-2\n");
  const std::string cache = "/sys/devices/system/cpu/cpu0/cache/";
  world.Put(cache + "index0/level", "1");
  world.Put(cache + "index0/size", "99999999999999999K");
  world.Put(cache + "index1/level", "2");
  world.Put(cache + "index1/size", "-4K");
  world.Put(cache + "uevent", "");
  const Fingerprint fingerprint = HostFingerprint(world, Target(), {});
  EXPECT_EQ(fingerprint.cpu_model, ":0xd03");
  EXPECT_EQ(fingerprint.memory_bytes, 0);
  EXPECT_EQ(fingerprint.cache_bytes, (std::vector<int64_t>{0, 0}));
}

TEST(FingerprintHostTest, KindsOfCoresAreAllNamed) {
  ScriptedEnvironment world;
  world.Put("/proc/cpuinfo",
            "CPU implementer\t: 0x41\nCPU part\t: 0xd05\n\nCPU implementer\t: 0x41\n"
            "CPU part\t: 0xd0b\n\nCPU implementer\t: 0x41\nCPU part\t: 0xd05\n");
  EXPECT_EQ(HostFingerprint(world, Target(), {}).cpu_model, "0x41:0xd05+0x41:0xd0b");
}

TEST(FingerprintHostTest, OfThisMachine) {
  HostEnvironment host;
  const Fingerprint fingerprint = HostFingerprint(host, HostTarget(1), {});
  EXPECT_NE(fingerprint.cpu_model, "unknown");
  EXPECT_GE(fingerprint.cores, 1);
  EXPECT_GT(fingerprint.memory_bytes, 1 << 20);
  EXPECT_EQ(DeviceId(fingerprint), DeviceId(HostFingerprint(host, HostTarget(1), {})));
}

}  // namespace
}  // namespace fettle
