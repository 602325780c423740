#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "fettle/device/environment.h"

namespace fettle {

// The conditions under which a session measures, recorded with it; absent or empty where the
// machine does not tell.
struct Preflight {
  int threads = 1;
  std::vector<int> cpus;            // that the process may run on
  std::optional<double> cpu_limit;  // processors' worth of time that its control group allows
  std::string governor;             // of the frequency: "performance", "powersave", ...
  std::optional<double> mhz;        // of the slowest allowed processor, now
  std::optional<double> highest_mhz;
  std::optional<bool> boosts;              // above the nominal frequency
  std::optional<int64_t> throttle_events;  // since the machine's start, all processors
  std::optional<int64_t> throttle_bits;    // as a Raspberry Pi's firmware tells them
  std::optional<double> temperature_c;     // of the hottest zone
  std::optional<double> load;              // processes ready to run, over the last minute
  std::optional<int64_t> available_bytes;  // of memory

  friend bool operator==(const Preflight&, const Preflight&) = default;
};

Preflight TakePreflight(Environment& environment, int threads);

// What speaks against measuring under these conditions, a line each; none where nothing does.
std::vector<std::string> ConcernsOf(const Preflight& preflight);

// Likewise what happened between two preflights of one session: throttling.
std::vector<std::string> ConcernsBetween(const Preflight& before, const Preflight& after);

}  // namespace fettle
