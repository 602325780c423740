#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace fettle {

// Which device measured, in the terms by which another measurement may be compared with it.
struct Fingerprint {
  std::string cpu_model;
  std::vector<std::string> isa;      // IsaNames of the target
  int cores = 0;                     // that the process may use
  std::vector<int64_t> cache_bytes;  // level 1 (data), 2, 3
  int64_t memory_bytes = 0;
  std::string system;    // kernel's name and release
  std::string governor;  // of the frequency, or empty where the device does not tell
  std::map<std::string, std::string> libraries;  // "onednn" -> "2.6.3", ...

  friend bool operator==(const Fingerprint&, const Fingerprint&) = default;
};

// 16 hexadecimal digits over what makes it the same device: CPU model, ISA, cores and caches. The
// memory, the system, the governor and the libraries are conditions, recorded beside a measurement.
std::string DeviceId(const Fingerprint& fingerprint);

}  // namespace fettle
