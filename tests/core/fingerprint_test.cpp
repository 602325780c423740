#include "fettle/core/fingerprint.h"

#include <gtest/gtest.h>

#include <functional>

namespace fettle {
namespace {

Fingerprint Board() {
  Fingerprint board;
  board.cpu_model = "Some CPU @ 2.1GHz";
  board.isa = {"avx2", "avx512"};
  board.cores = 2;
  board.cache_bytes = {32768, 1048576, 16777216};
  board.memory_bytes = int64_t{8} << 30;
  board.system = "Linux 6.1.0";
  board.governor = "performance";
  board.libraries = {{"onednn", "2.6.3"}};
  return board;
}

TEST(FingerprintTest, IdIsThePersistedOne) {
  EXPECT_EQ(DeviceId(Fingerprint{}), "4cef167f9d9fe165");
  EXPECT_EQ(DeviceId(Board()), "25bd8cfe3d71742b");
}

TEST(FingerprintTest, IdChangesWithTheDevice) {
  const std::function<void(Fingerprint&)> changes[] = {
      [](Fingerprint& f) { f.cpu_model += '0'; },
      [](Fingerprint& f) { f.isa.pop_back(); },
      [](Fingerprint& f) {
        f.isa = {"avx", "2avx512"};
      },
      [](Fingerprint& f) { f.isa = {"avx2avx512"}; },
      [](Fingerprint& f) { f.cores = 4; },
      [](Fingerprint& f) { f.cache_bytes[2] *= 2; },
      [](Fingerprint& f) { f.cache_bytes.pop_back(); },
      [](Fingerprint& f) {
        f.isa.clear();
        f.cpu_model += "avx2";
      },
  };
  for (const auto& change : changes) {
    Fingerprint changed = Board();
    change(changed);
    EXPECT_NE(DeviceId(changed), DeviceId(Board()));
  }
}

TEST(FingerprintTest, IdStaysWithTheConditions) {
  Fingerprint later = Board();
  later.memory_bytes *= 2;
  later.system = "Linux 6.12.0";
  later.governor.clear();
  later.libraries["onednn"] = "3.0";
  EXPECT_EQ(DeviceId(later), DeviceId(Board()));
}

}  // namespace
}  // namespace fettle
