#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "fettle/device/environment.h"

namespace fettle {

// Something that counts the energy a machine takes.
class EnergyMeter {
 public:
  virtual ~EnergyMeter() = default;

  // What counts, and what is counted: "rapl: package-0, dram".
  virtual std::string Description() const = 0;

  // How often the sensor has a new number; windows should hold many of them.
  virtual std::chrono::nanoseconds UpdateInterval() const = 0;

  // The longest time between two readings over which it cannot lose count.
  virtual std::chrono::nanoseconds LongestPause() const = 0;

  // Joules since the meter was made. Throws Error (kDevice) where the sensor is gone or has been
  // reset; the meter is then of no further use.
  virtual double ReadJoules() = 0;
};

// The meter to be trusted most, or where one was looked for and why it was not found, a line each.
struct MeterSearch {
  std::unique_ptr<EnergyMeter> meter;  // may be null
  std::vector<std::string> refusals;
};

// `environment` outlives the meter.
MeterSearch FindEnergyMeter(Environment& environment);

// The same, but throws Error (kDevice) that names every place where one was looked for.
std::unique_ptr<EnergyMeter> RequireEnergyMeter(Environment& environment);

}  // namespace fettle
