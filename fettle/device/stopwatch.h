#pragma once

#include <chrono>
#include <optional>

#include "fettle/device/contender.h"
#include "fettle/device/environment.h"

namespace fettle {

// What so many runs, one after another, took.
struct Batch {
  int runs = 0;
  std::chrono::nanoseconds wall{0};
  std::chrono::nanoseconds cpu{0};                 // of all threads
  std::optional<std::chrono::nanoseconds> waited;  // in run queues, all threads

  double MsPerRun() const;
  double CpuMsPerRun() const;
  std::optional<double> WaitedMsPerRun() const;
};

// Times batches of runs: hot, or, with a sweep, each run after the caches were overwritten. A cold
// run is timed by itself, the sweep not included.
class Stopwatch {
 public:
  // `sweep` may be null. Both outlive the stopwatch.
  Stopwatch(Environment& environment, Contender* sweep)
      : environment_(environment), sweep_(sweep) {}

  Batch Time(Contender& contender, int runs);

  bool is_cold() const { return sweep_ != nullptr; }

 private:
  void TimeHot(Contender& contender, Batch* batch);
  void TimeCold(Contender& contender, Batch* batch);

  Environment& environment_;
  Contender* sweep_;
};

}  // namespace fettle
