#include "fettle/tuner/deepening.h"

#include <algorithm>
#include <string>

namespace fettle {
namespace {

constexpr double kWithinReach = 1;  // points of accuracy behind the front

// Its own and those of the networks that it started from, also what these were trained later.
int64_t StepsInAll(const VerifiedPoint& point, const std::vector<VerifiedPoint>& points) {
  int64_t steps = point.trained_steps;
  std::string parent = point.parent;
  for (size_t i = 0; i < points.size(); ++i) {  // no more generations than points
    const auto found = std::ranges::find(points, parent, &VerifiedPoint::id);
    if (found == points.end()) break;
    steps += found->trained_steps;
    parent = found->parent;
  }
  return steps;
}

// By how many points of accuracy the best that is no slower beats it.
double PointsBehind(const VerifiedPoint& point, const std::vector<VerifiedPoint>& points) {
  double behind = 0;
  for (const VerifiedPoint& other : points) {
    if (other.latency_ms.value > point.latency_ms.value) continue;
    behind = std::max(behind, point.drop.value - other.drop.value);
  }
  return behind;
}

}  // namespace

std::vector<VerifiedPoint> WorthDeepening(const Session& session) {
  const std::vector<VerifiedPoint> front = FrontOf(session);
  std::vector<VerifiedPoint> worth = session.points();
  std::erase_if(worth, [&](const VerifiedPoint& point) {
    const bool is_near = PointsBehind(point, session.points()) <= kWithinReach ||
                         std::ranges::find(front, point.id, &VerifiedPoint::id) != front.end();
    return point.trained_steps == 0 || !is_near;
  });
  std::ranges::stable_sort(worth, {},
                           [&](const VerifiedPoint& p) { return StepsInAll(p, session.points()); });
  return worth;
}

}  // namespace fettle
