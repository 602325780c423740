#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/search/pareto_front.h"
#include "fettle/tuner/verified_point.h"

namespace fettle {

// What a session may look for. The names are persisted.
enum class Objective : uint8_t {
  kLatency,
  kAccuracy,
  kMemory,  // activations, scratch and weights, as planned
  kEnergy,  // of one inference, where there is a meter
};

std::string_view NameOf(Objective objective);

// "latency,accuracy,memory": each at most once. Throws Error (kUsage) that lists the names.
std::vector<Objective> ParseObjectives(std::string_view text);

bool Contains(const std::vector<Objective>& objectives, Objective objective);

// A verified point's values, all to be minimised; infinite where one was not measured.
Objectives ValuesOf(const VerifiedPoint& point, const std::vector<Objective>& objectives);

// What an inference of so many (predicted) milliseconds should take: in proportion to the latency,
// by the median factor of the points whose energy was measured. Nothing without such a point.
std::optional<double> PredictedEnergyMj(const std::vector<VerifiedPoint>& points, double ms);

}  // namespace fettle
