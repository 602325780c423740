#include "fettle/tuner/accuracy_floor.h"

#include <algorithm>

namespace fettle {
namespace {

// Predictions of latency are not exact.
constexpr double kSurelyFaster = 0.9;
// What further training might make up for.
constexpr double kWithinReach = 0.02;

}  // namespace

std::optional<double> AccuracyFloor(const VerifiedPoint& point, double predicted_ms,
                                    const std::vector<VerifiedPoint>& points,
                                    const std::vector<Objective>& objectives) {
  if (point.revision > 0) return point.accuracy.value;
  const bool is_judged = std::ranges::all_of(objectives, [](Objective objective) {
    return objective == Objective::kLatency || objective == Objective::kAccuracy;
  });
  if (!is_judged) return std::nullopt;
  std::optional<double> best;
  for (const VerifiedPoint& other : points) {
    if (other.latency_ms.high > kSurelyFaster * predicted_ms) continue;
    best = std::max(best.value_or(0), other.accuracy.value);
  }
  if (!best) return std::nullopt;
  return *best - kWithinReach;
}

}  // namespace fettle
