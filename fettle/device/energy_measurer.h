#pragma once

#include <chrono>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "fettle/core/statistics.h"
#include "fettle/device/contender.h"
#include "fettle/device/energy_meter.h"
#include "fettle/device/environment.h"

namespace fettle {

// The fewest of which a median has an interval.
inline constexpr int kFewestEnergyTrials = 6;

struct EnergyOptions {
  std::chrono::nanoseconds window = std::chrono::seconds(5);  // of one contender in one trial
  int min_updates = 50;  // of the meter, in a window: a longer one where this asks for it
  int trials = 7;        // at least kFewestEnergyTrials
  uint64_t seed = 1;     // of the order in which contenders run

  friend bool operator==(const EnergyOptions&, const EnergyOptions&) = default;
};

// What one run costs.
struct Energy {
  Interval total_mj;    // all the meter counts, the median of the trials
  Interval active_mj;   // the same without what the idle machine takes in that time
  Interval idle_w;      // the machine's power, idle
  int64_t runs = 0;     // in all trials together
  std::string meter;    // EnergyMeter::Description()
  std::string failure;  // in words, where the contender threw; then the rest is of no meaning

  friend bool operator==(const Energy&, const Energy&) = default;
};

// Measures contenders against one another, in trials: each contender has its window, in random
// order, and before and after each trial the idle machine has one. What is active is told by the
// mean of the two idle windows, so that a machine that warms up is accounted for.
class EnergyMeasurer {
 public:
  // Both outlive it.
  EnergyMeasurer(Environment& environment, EnergyMeter& meter)
      : environment_(environment), meter_(meter) {}

  // One energy for each contender, in their order. Throws Error (kDevice) where the meter fails:
  // half a measurement is none.
  std::vector<Energy> Measure(std::span<Contender* const> contenders, const EnergyOptions& options);

 private:
  Environment& environment_;
  EnergyMeter& meter_;
};

}  // namespace fettle
