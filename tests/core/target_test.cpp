#include "fettle/core/target.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>

namespace fettle {
namespace {

TEST(TargetTest, NamesWhatItHas) {
  EXPECT_TRUE(IsaNames(Target()).empty());
  const Target all = {1, true, true, true, true};
  const std::vector<std::string> names = IsaNames(all);
  EXPECT_EQ(names, (std::vector<std::string>{"avx2", "avx512", "avx512_bf16", "avx512_vnni"}));
  EXPECT_TRUE(std::is_sorted(names.begin(), names.end()));
}

TEST(TargetTest, WiderExtensionsComeWithTheNarrower) {
  const Target host = HostTarget(3);
  EXPECT_EQ(host.threads, 3);
  EXPECT_TRUE(host.has_avx2 || !host.has_avx512);
  EXPECT_TRUE(host.has_avx512 || !(host.has_avx512_bf16 || host.has_avx512_vnni));
}

// The kernel's list of what it lets programs use, where there is one.
TEST(TargetTest, AgreesWithTheOperatingSystem) {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line) && !line.starts_with("flags")) {
  }
  if (!line.starts_with("flags")) GTEST_SKIP() << "no flags in /proc/cpuinfo";
  const auto has = [padded = line + " "](const std::string& flag) {
    return padded.find(" " + flag + " ") != std::string::npos;
  };
  const Target host = HostTarget(1);
  EXPECT_EQ(host.has_avx2, has("avx2") && has("fma"));
  EXPECT_EQ(host.has_avx512, host.has_avx2 && has("avx512f") && has("avx512bw") &&
                                 has("avx512dq") && has("avx512vl"));
  EXPECT_EQ(host.has_avx512_bf16, host.has_avx512 && has("avx512_bf16"));
  EXPECT_EQ(host.has_avx512_vnni, host.has_avx512 && has("avx512_vnni"));
}

}  // namespace
}  // namespace fettle
