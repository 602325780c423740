#include "fettle/device/energy_meter.h"

#include <array>

#include "fettle/device/rapl_meter.h"

namespace fettle {

MeterSearch FindEnergyMeter(Environment& environment) {
  // In the order of trust; a new kind of meter is a line here.
  constexpr std::array kFinders{FindRaplMeter};
  MeterSearch search;
  for (const auto& find : kFinders) {
    search.meter = find(environment, &search.refusals);
    if (search.meter) break;
  }
  return search;
}

}  // namespace fettle
