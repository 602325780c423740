#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "fettle/core/measurement.h"

namespace fettle {

// A measurement, and how much of it the machine's other users took: what tells a kernel's cost from
// the neighbours' load on a shared machine.
struct Timing {
  Measurement measurement;
  // How long its threads stood in a run queue during one run, together, on average; nothing where
  // the system does not tell.
  std::optional<double> waited_ms;
  // The median of only those samples in which no thread waited at all; with 6 of them or more.
  std::optional<Interval> undisturbed_ms;

  friend bool operator==(const Timing&, const Timing&) = default;
};

// When to stop, and what to distrust. The defaults are docs/measurement.md's.
struct TimingOptions {
  CacheMode mode = CacheMode::kHot;
  double relative_width = 0.01;  // of the median's interval, high - low over the median
  int min_samples = 11;
  int max_rounds = 400;
  std::chrono::nanoseconds contender_budget = std::chrono::seconds(2);  // after the warm-up
  std::chrono::nanoseconds warm_up_budget = std::chrono::milliseconds(500);
  std::chrono::nanoseconds min_batch = std::chrono::milliseconds(1);
  int min_ticks = 1000;     // of the clock, in a batch
  double max_drift = 0.05;  // of the reference kernel, in a round that is kept
  uint64_t seed = 1;        // of the order in which contenders run

  friend bool operator==(const TimingOptions&, const TimingOptions&) = default;
};

}  // namespace fettle
