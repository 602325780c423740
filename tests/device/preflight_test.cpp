#include "fettle/device/preflight.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "fettle/device/host_environment.h"

namespace fettle {
namespace {

using testing::HasSubstr;

const std::string kFixtures = FETTLE_DEVICE_FIXTURES;

Preflight PreflightOf(const std::string& fixture, int threads) {
  HostEnvironment environment(kFixtures + "/" + fixture);
  return TakePreflight(environment, threads);
}

TEST(PreflightTest, OfADesktop) {
  const Preflight preflight = PreflightOf("x86_rapl", 1);
  EXPECT_EQ(preflight.threads, 1);
  EXPECT_EQ(preflight.cpus, (std::vector<int>{0, 1, 2, 3}));
  EXPECT_EQ(preflight.cpu_limit, 1.5);  // of the parent group; its own says "max"
  EXPECT_EQ(preflight.governor, "powersave");
  EXPECT_DOUBLE_EQ(preflight.mhz.value(), 2800);
  EXPECT_DOUBLE_EQ(preflight.highest_mhz.value(), 3600);
  EXPECT_EQ(preflight.boosts, true);
  EXPECT_EQ(preflight.throttle_events, 12);
  EXPECT_EQ(preflight.throttle_bits, std::nullopt);
  EXPECT_DOUBLE_EQ(preflight.temperature_c.value(), 45);
  EXPECT_EQ(preflight.load, 0.31);
  EXPECT_EQ(preflight.available_bytes, int64_t{28000000} * 1024);
  EXPECT_THAT(ConcernsOf(preflight), testing::ElementsAre(HasSubstr("'powersave'")));
}

TEST(PreflightTest, OfAThrottledBoard) {
  const Preflight preflight = PreflightOf("arm_board", 4);
  EXPECT_EQ(preflight.cpu_limit, 0.5);
  EXPECT_EQ(preflight.boosts, true);
  EXPECT_EQ(preflight.throttle_bits, 0x50005);
  EXPECT_DOUBLE_EQ(preflight.temperature_c.value(), 91.2);
  EXPECT_THAT(ConcernsOf(preflight),
              testing::ElementsAre(HasSubstr("'ondemand'"), HasSubstr("4 threads on the 2 proc"),
                                   HasSubstr("allows 0.5 processors' time to 4 threads"),
                                   HasSubstr("load of 3.02 on 2"), HasSubstr("bits 5"),
                                   HasSubstr("91.2 degrees")));
}

TEST(PreflightTest, WhatIsNotToldIsNoConcern) {
  const Preflight preflight = PreflightOf("nothing", 2);
  Preflight expected;
  expected.threads = 2;
  EXPECT_EQ(preflight, expected);
  EXPECT_TRUE(ConcernsOf(preflight).empty());
}

TEST(PreflightTest, ThrottlingDuringASessionIsAConcern) {
  Preflight before = PreflightOf("x86_rapl", 1);
  Preflight after = before;
  EXPECT_TRUE(ConcernsBetween(before, after).empty());
  after.throttle_events = 15;
  before.throttle_bits = 0x50000;
  after.throttle_bits = 0x50004;
  EXPECT_THAT(ConcernsBetween(before, after),
              testing::ElementsAre(HasSubstr("throttled 3 times"), HasSubstr("bits 4")));
}

}  // namespace
}  // namespace fettle
