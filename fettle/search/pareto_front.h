// Pareto dominance and what is built on it. Every objective is minimised (negate what is to be
// maximised); units are the caller's. Objectives may be +infinity, never NaN (asserted).
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace fettle {

using Objectives = std::vector<double>;

// True where `a` is nowhere worse than `b` and somewhere better. Asserts equal lengths.
bool Dominates(const Objectives& a, const Objectives& b);

struct ParetoPoint {
  Objectives objectives;
  uint64_t payload = 0;  // the caller's id, never looked at

  friend bool operator==(const ParetoPoint&, const ParetoPoint&) = default;
};

// An archive of the points that no other point seen dominates.
class ParetoFront {
 public:
  // Asserts num_objectives > 0.
  explicit ParetoFront(size_t num_objectives);

  // Offers a point. True when it entered, which drops the members it dominates. A point with the
  // objectives of a member does not enter: the first one stays.
  bool Add(Objectives objectives, uint64_t payload);

  // Whether a point with these objectives would enter.
  bool WouldEnter(const Objectives& objectives) const;

  // The members in lexicographic order of their objectives, whatever the order of arrival.
  const std::vector<ParetoPoint>& points() const { return points_; }
  size_t num_objectives() const { return num_objectives_; }

 private:
  size_t num_objectives_;
  std::vector<ParetoPoint> points_;
};

// Splits points into fronts: the first holds the indices of the non-dominated ones, the second of
// those dominated only by the first, and so on; indices ascend within a front. Equal points share
// one. Efficient non-dominated sort with sequential search (Zhang, Tian, Cheng & Jin, IEEE TEVC
// 2015): points are visited in lexicographic order, so that none is dominated by a later one.
std::vector<std::vector<size_t>> NonDominatedSort(const std::vector<Objectives>& points);

// Crowding distance (Deb et al., "A Fast and Elitist Multiobjective Genetic Algorithm: NSGA-II",
// IEEE TEVC 2002) of points[front[i]] within the front, at index i. Points at either end of an
// objective that varies get infinity; an objective that does not vary adds nothing. An objective
// whose range is infinite is left out.
std::vector<double> CrowdingDistance(const std::vector<Objectives>& points,
                                     const std::vector<size_t>& front);

// The index of the knee of a front: the member with the smallest sum of objectives after each has
// been scaled to [0, 1] over the front. With two objectives it is the point farthest below the
// straight line through both ends (Das, "On characterizing the knee of the Pareto curve", 1999).
// Ties go to the first. Points with an infinite objective are passed over; nothing where no point
// is left.
std::optional<size_t> KneePoint(const std::vector<Objectives>& front);

}  // namespace fettle
