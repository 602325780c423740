#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "fettle/device/stopwatch.h"
#include "fettle/device/timing.h"

namespace fettle {

// How far the measuring of a contender has come.
struct Standing {
  std::optional<Interval> latency_ms;
  bool is_settled = false;  // the interval is as narrow as asked for, over enough samples
};

// Everything timed so far in rounds, each a batch of every contender still in the race between two
// batches of the reference kernel; and what that says of each contender.
class Rounds {
 public:
  Rounds(size_t contenders, const TimingOptions& options);

  // A new round begins. The reference of one round's end is that of the next one's beginning.
  void Begin(double reference_ms);
  void Add(size_t contender, const Batch& batch);
  void End(double reference_ms);

  size_t size() const { return rounds_.size(); }

  // Over the rounds that are to be believed: those whose reference kernel, before and after, is
  // within max_drift of its median over all rounds. So a passing disturbance costs the rounds it
  // touched, and after a lasting change the state that lasted longer counts.
  Standing StandingOf(size_t contender) const;

  // All of it as a measurement, ok or unstable. Where too few rounds are to be believed, those
  // nearest the reference's median make up for them, and the measurement is unstable.
  Timing TimingOf(size_t contender) const;

 private:
  struct Sample {
    double ms;
    double cpu_ms;
    std::optional<double> waited_ms;
  };
  struct Round {
    double reference_before = 0;
    double reference_after = 0;
    std::vector<std::optional<Sample>> samples;  // of each contender
  };

  double Drift(const Round& round) const;
  std::vector<const Round*> RoundsOf(size_t contender) const;
  std::vector<const Round*> BelievedOf(size_t contender) const;
  std::vector<const Round*> KeptOf(size_t contender) const;
  std::string WhyUnstable(size_t contender, const Timing& timing) const;

  size_t contenders_;
  TimingOptions options_;
  std::vector<Round> rounds_;
  double reference_median_ = 0;
};

}  // namespace fettle
