#pragma once

#include <memory>
#include <string>
#include <vector>

#include "fettle/device/energy_meter.h"

namespace fettle {

// The energy counters of Intel's and AMD's processors (running average power limit), through
// Linux's powercap: the packages and, where counted apart, their memory; not the rest of the
// machine. Null, with a line in `refusals`, where there are none or they may not be read (since
// Linux 5.10 only by root: their steps are fine enough to spy on other processes, CVE-2020-8694).
std::unique_ptr<EnergyMeter> FindRaplMeter(Environment& environment,
                                           std::vector<std::string>* refusals);

}  // namespace fettle
