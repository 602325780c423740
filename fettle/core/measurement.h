#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/statistics.h"

namespace fettle {

// What became of an attempt to measure. The names are persisted: never change one.
enum class MeasurementStatus : uint8_t {
  kOk,             // the interval of the median is as narrow as asked for
  kUnstable,       // it is not, and the samples are what they are
  kNotApplicable,  // the primitive does not take the layer; the detail says why
  kWrongResult,    // it disagrees with the reference, and was not timed
  kTimedOut,
  kCrashed,
  kFailed,  // it said that it could not, e.g. for want of memory
};

std::string_view NameOf(MeasurementStatus status);
std::optional<MeasurementStatus> ParseMeasurementStatus(std::string_view name);

// In which state the caches were. Different modes are different numbers and are never mixed.
enum class CacheMode : uint8_t {
  kHot,        // the same buffers again and again
  kCold,       // caches overwritten before each run
  kInNetwork,  // as part of a network's execution
};

std::string_view NameOf(CacheMode mode);
std::optional<CacheMode> ParseCacheMode(std::string_view name);

// How long something took, and what the number is worth. A failed measurement has a status other
// than kOk and kUnstable and no samples; it is never a sentinel number.
struct Measurement {
  MeasurementStatus status = MeasurementStatus::kFailed;
  CacheMode mode = CacheMode::kHot;
  std::vector<double> samples_ms;      // wall time of one run, in the order taken
  std::optional<Interval> latency_ms;  // the samples' median; present with 6 samples or more
  double cpu_ms = 0;                   // median CPU time of one run, all threads
  int dropped_rounds = 0;              // thrown away, the reference kernel having drifted
  double reference_drift = 1;          // slowest over fastest kept reference run
  double error = 0;                    // largest difference from the reference, relative to its
                                       // largest magnitude
  int64_t workspace_bytes = 0;
  int64_t weight_bytes = 0;  // as executed: packed, transformed
  std::string detail;        // in words, one line, where the status needs them

  bool has_latency() const { return latency_ms.has_value(); }
  friend bool operator==(const Measurement&, const Measurement&) = default;
};

// One line that holds all of it, as the worker's protocol carries it; numbers survive exactly:
//
//   status=ok mode=hot cpu_ms=0.5 dropped=0 drift=1.01 error=1e-06 workspace=0 weights=147456
//   latency=0.5,0.49,0.52 samples=0.5,0.49,... detail=words to the line's end
//
// The last three only where there is something to say; in the detail a line's end is "\n", a
// backslash "\\". Parse answers nothing for text that is no measurement: a word unknown, missing,
// twice or out of order, a time that is negative or not finite.
std::string MeasurementText(const Measurement& measurement);
std::optional<Measurement> ParseMeasurement(std::string_view text);

}  // namespace fettle
