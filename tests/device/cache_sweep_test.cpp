#include "fettle/device/cache_sweep.h"

#include <gtest/gtest.h>

#include "fettle/device/host_environment.h"
#include "fettle/device/peak_memory.h"
#include "fettle/device/reference_work.h"

namespace fettle {
namespace {

const std::string kFixtures = FETTLE_DEVICE_FIXTURES;

TEST(CacheSweepTest, IsSizedByTheCaches) {
  HostEnvironment desktop(kFixtures + "/x86_rapl");
  const CacheSweep sweep = HostCacheSweep(desktop);
  EXPECT_EQ(sweep.cpus(), (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(sweep.bytes_each(), size_t{3} << 20);
  HostEnvironment nothing(kFixtures + "/nothing");
  EXPECT_EQ(HostCacheSweep(nothing).cpus(), std::vector<int>{0});
  EXPECT_EQ(HostCacheSweep(nothing).bytes_each(), size_t{64} << 20);
}

TEST(CacheSweepTest, Runs) {
  CacheSweep sweep({0, 1, 100'000}, 1 << 16);  // the last is no processor: it runs anywhere
  sweep.Run();
  sweep.Run();
}

TEST(ReferenceWorkTest, DoesItsArithmetic) {
  ReferenceWork work;
  const std::vector<float> before = work.values();
  work.Run();
  EXPECT_NE(work.values(), before);
  for (const float value : work.values()) EXPECT_NEAR(value, 2, 1e-3);
}

TEST(PeakMemoryTest, OfADesktop) {
  HostEnvironment desktop(kFixtures + "/x86_rapl");
  EXPECT_EQ(ResidentBytes(desktop), 10 << 20);
  EXPECT_EQ(PeakResidentBytes(desktop), 20 << 20);
  EXPECT_FALSE(ForgetPeak(desktop));
  HostEnvironment nothing(kFixtures + "/nothing");
  EXPECT_EQ(PeakResidentBytes(nothing), std::nullopt);
}

TEST(PeakMemoryTest, OfThisProcessFollowsWhatItTouches) {
  HostEnvironment host;
  const auto before = PeakResidentBytes(host);
  if (!before || !ForgetPeak(host)) GTEST_SKIP() << "the kernel does not tell";
  const auto start = PeakResidentBytes(host);
  ASSERT_TRUE(start.has_value());
  constexpr size_t kBytes = 16 << 20;
  { const std::vector<char> touched(kBytes, 1); }
  const auto peak = PeakResidentBytes(host);
  EXPECT_GE(*peak, *start + int64_t{kBytes} / 2);
}

TEST(PeakMemoryTest, WhatIsOwnIsPartOfWhatIsResident) {
  HostEnvironment host;
  const auto own = OwnBytes(host), peak = PeakOwnBytes(host);
  if (!own || !peak) GTEST_SKIP() << "the kernel does not tell";
  EXPECT_LT(*own, *ResidentBytes(host));
  EXPECT_LT(*peak, *PeakResidentBytes(host));
  HostEnvironment nothing(kFixtures + "/nothing");
  EXPECT_EQ(OwnBytes(nothing), std::nullopt);
  EXPECT_EQ(PeakOwnBytes(nothing), std::nullopt);
}

}  // namespace
}  // namespace fettle
