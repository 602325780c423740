#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "fettle/device/contender.h"
#include "fettle/device/environment.h"

namespace fettle {

// Overwrites the caches: on every processor of the list its own thread writes `bytes_each` of
// memory of its own, so that the private caches of all of them go too.
class CacheSweep : public Contender {
 public:
  CacheSweep(std::vector<int> cpus, size_t bytes_each);

  void Run() override;

  const std::vector<int>& cpus() const { return cpus_; }
  size_t bytes_each() const { return bytes_each_; }

 private:
  std::vector<int> cpus_;
  size_t bytes_each_;
  std::vector<std::vector<uint8_t>> memory_;  // of each processor; made by the first run
};

// For the machine: twice its last cache together and twice the second-level cache each, 256 MiB
// at most in all.
CacheSweep HostCacheSweep(Environment& environment);

}  // namespace fettle
