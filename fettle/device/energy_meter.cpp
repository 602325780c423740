#include "fettle/device/energy_meter.h"

#include <array>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/joined_text.h"
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

std::unique_ptr<EnergyMeter> RequireEnergyMeter(Environment& environment) {
  MeterSearch search = FindEnergyMeter(environment);
  if (search.meter) return std::move(search.meter);
  throw Error(ErrorKind::kDevice, Text("energy cannot be measured, no meter was found; looked in ",
                                       JoinedText(search.refusals, "; ")));
}

}  // namespace fettle
