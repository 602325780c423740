#pragma once

#include <optional>
#include <string>
#include <vector>

#include "fettle/core/statistics.h"
#include "fettle/device/plan_protocol.h"
#include "fettle/device/worker_client.h"
#include "fettle/tuner/session.h"
#include "fettle/tuner/tune_observer.h"

namespace fettle {

inline constexpr const char* kOriginalId = "original";

// Measures the plans in the folders of a session's points, from end to end in the worker, each with
// its own number of threads.
class PointBench {
 public:
  // All outlive it.
  PointBench(Session* session, WorkerClient* worker, TuneObserver* observer);

  // Against one another.
  PlansAnswer Measure(const std::vector<VerifiedPoint>& points, double seconds_each);

  // What an inference of each takes; nothing where energy is no objective, or it failed. Throws
  // Error (kDevice) where it is the original's for the first time that does.
  std::vector<std::optional<Interval>> MeasureEnergies(const std::vector<VerifiedPoint>& points,
                                                       double seconds_each);

  // The latency, or nothing and a note of what went wrong.
  std::optional<Interval> LatencyOf(const PlanTiming& plan, const std::string& id);
  // Throws Error (kDevice) instead: without it there is nothing to compare with.
  static Interval LatencyOfOriginal(const PlanTiming& plan);

  // What comes next is measured by a new process.
  void StartAfresh() { worker_->Stop(); }

 private:
  std::vector<std::string> FoldersOf(const std::vector<VerifiedPoint>& points) const;

  Session* session_;
  WorkerClient* worker_;
  TuneObserver* observer_;
};

}  // namespace fettle
