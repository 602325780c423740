#include "fettle/search/pareto_front.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace fettle {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

[[maybe_unused]] bool HasNan(const Objectives& objectives) {
  return std::any_of(objectives.begin(), objectives.end(), [](double x) { return std::isnan(x); });
}

// Whether some member of the front dominates the point.
bool IsDominated(const std::vector<Objectives>& points, const std::vector<size_t>& front,
                 const Objectives& point) {
  // Lately added members are the nearest in lexicographic order, hence the likeliest to dominate.
  return std::any_of(front.rbegin(), front.rend(),
                     [&](size_t member) { return Dominates(points[member], point); });
}

}  // namespace

bool Dominates(const Objectives& a, const Objectives& b) {
  assert(a.size() == b.size());
  bool better = false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
    better = better || a[i] < b[i];
  }
  return better;
}

ParetoFront::ParetoFront(size_t num_objectives) : num_objectives_(num_objectives) {
  assert(num_objectives > 0);
}

bool ParetoFront::WouldEnter(const Objectives& objectives) const {
  assert(objectives.size() == num_objectives_ && !HasNan(objectives));
  return std::none_of(points_.begin(), points_.end(), [&](const ParetoPoint& member) {
    return member.objectives == objectives || Dominates(member.objectives, objectives);
  });
}

bool ParetoFront::Add(Objectives objectives, uint64_t payload) {
  if (!WouldEnter(objectives)) return false;
  std::erase_if(
      points_, [&](const ParetoPoint& member) { return Dominates(objectives, member.objectives); });
  const auto place = std::lower_bound(
      points_.begin(), points_.end(), objectives,
      [](const ParetoPoint& member, const Objectives& o) { return member.objectives < o; });
  points_.insert(place, ParetoPoint{std::move(objectives), payload});
  return true;
}

std::vector<std::vector<size_t>> NonDominatedSort(const std::vector<Objectives>& points) {
  assert(std::none_of(points.begin(), points.end(), HasNan));
  std::vector<size_t> order(points.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return points[a] < points[b]; });
  std::vector<std::vector<size_t>> fronts;
  for (size_t index : order) {
    // Being dominated by front f implies being dominated by all before it, so bisection would do;
    // fronts are few, and the first is the common case.
    size_t f = 0;
    while (f < fronts.size() && IsDominated(points, fronts[f], points[index])) ++f;
    if (f == fronts.size()) fronts.emplace_back();
    fronts[f].push_back(index);
  }
  for (std::vector<size_t>& front : fronts) std::sort(front.begin(), front.end());
  return fronts;
}

std::vector<double> CrowdingDistance(const std::vector<Objectives>& points,
                                     const std::vector<size_t>& front) {
  std::vector<double> distance(front.size(), 0.0);
  if (front.empty()) return distance;
  std::vector<size_t> order(front.size());
  for (size_t m = 0; m < points[front[0]].size(); ++m) {
    const auto value = [&](size_t i) { return points[front[i]][m]; };
    std::iota(order.begin(), order.end(), size_t{0});
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return value(a) < value(b); });
    const double range = value(order.back()) - value(order.front());
    if (!(range > 0 && range < kInfinity)) continue;
    distance[order.front()] = distance[order.back()] = kInfinity;
    for (size_t i = 1; i + 1 < order.size(); ++i) {
      distance[order[i]] += (value(order[i + 1]) - value(order[i - 1])) / range;
    }
  }
  return distance;
}

std::optional<size_t> KneePoint(const std::vector<Objectives>& front) {
  const auto is_finite = [](const Objectives& point) {
    return std::all_of(point.begin(), point.end(), [](double x) { return std::isfinite(x); });
  };
  Objectives low, high;
  for (const Objectives& point : front) {
    if (!is_finite(point)) continue;
    if (low.empty()) low = high = point;
    for (size_t m = 0; m < point.size(); ++m) {
      low[m] = std::min(low[m], point[m]);
      high[m] = std::max(high[m], point[m]);
    }
  }
  std::optional<size_t> knee;
  double best = kInfinity;
  for (size_t i = 0; i < front.size(); ++i) {
    if (!is_finite(front[i])) continue;
    double sum = 0;
    for (size_t m = 0; m < low.size(); ++m) {
      if (high[m] > low[m]) sum += (front[i][m] - low[m]) / (high[m] - low[m]);
    }
    if (!knee.has_value() || sum < best) {
      knee = i;
      best = sum;
    }
  }
  return knee;
}

}  // namespace fettle
