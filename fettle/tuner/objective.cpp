#include "fettle/tuner/objective.h"

#include <algorithm>
#include <array>
#include <limits>

#include "fettle/core/error.h"

namespace fettle {
namespace {

constexpr std::array kAll = {Objective::kLatency, Objective::kAccuracy, Objective::kMemory,
                             Objective::kEnergy};

double ValueOf(const VerifiedPoint& point, Objective objective) {
  switch (objective) {
    case Objective::kLatency:
      return point.latency_ms.value;
    case Objective::kAccuracy:
      return -point.accuracy.value;
    case Objective::kMemory:
      return static_cast<double>(point.memory_bytes);
    case Objective::kEnergy:
      break;
  }
  return point.energy_mj ? point.energy_mj->value : std::numeric_limits<double>::infinity();
}

}  // namespace

std::string_view NameOf(Objective objective) {
  constexpr std::array<std::string_view, kAll.size()> kNames = {"latency", "accuracy", "memory",
                                                                "energy"};
  return kNames[static_cast<size_t>(objective)];
}

std::vector<Objective> ParseObjectives(std::string_view text) {
  const Error fault(ErrorKind::kUsage, Text("--objectives ", text,
                                            ": a list of latency, accuracy, memory and energy is "
                                            "expected, each at most once, with commas between"));
  std::vector<Objective> objectives;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    const std::string_view name = text.substr(begin, end - begin);
    const auto found = std::ranges::find(kAll, name, [](Objective one) { return NameOf(one); });
    if (found == kAll.end() || Contains(objectives, *found)) throw fault;
    objectives.push_back(*found);
    begin = end + 1;
  }
  if (!Contains(objectives, Objective::kAccuracy)) {
    throw Error(ErrorKind::kUsage, Text("--objectives ", text,
                                        ": accuracy is missing; without it the best network is the "
                                        "emptiest"));
  }
  return objectives;
}

bool Contains(const std::vector<Objective>& objectives, Objective objective) {
  return std::ranges::find(objectives, objective) != objectives.end();
}

Objectives ValuesOf(const VerifiedPoint& point, const std::vector<Objective>& objectives) {
  Objectives values;
  for (const Objective objective : objectives) values.push_back(ValueOf(point, objective));
  return values;
}

std::optional<double> PredictedEnergyMj(const std::vector<VerifiedPoint>& points, double ms) {
  std::vector<double> mj_a_ms;
  for (const VerifiedPoint& point : points) {
    if (point.energy_mj && point.predicted_ms > 0) {
      mj_a_ms.push_back(point.energy_mj->value / point.predicted_ms);
    }
  }
  if (mj_a_ms.empty()) return std::nullopt;
  return Median(mj_a_ms) * ms;
}

}  // namespace fettle
