// Inside, a point is turned into its gains, reference - objective, all positive: a box from the
// origin. The hypervolume is then the volume of a union of boxes that share a corner.
#include "fettle/search/hypervolume.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <map>
#include <utility>

namespace fettle {
namespace {

using Box = std::vector<double>;

// Whether `a` lies within `b`.
bool IsWithin(const Box& a, const Box& b) {
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i] > b[i]) return false;
  }
  return true;
}

// Drops boxes within another one, and orders by falling last side (then by the others).
std::vector<Box> Maximal(std::vector<Box> boxes) {
  std::sort(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) {
    return std::lexicographical_compare(b.rbegin(), b.rend(), a.rbegin(), a.rend());
  });
  // In this order a box can lie only within an earlier one.
  std::vector<Box> kept;
  for (Box& box : boxes) {
    const bool covered =
        std::any_of(kept.begin(), kept.end(), [&](const Box& k) { return IsWithin(box, k); });
    if (!covered) kept.push_back(std::move(box));
  }
  return kept;
}

// The area under a staircase that grows one box at a time.
class Staircase {
 public:
  double area() const { return area_; }

  void Insert(double width, double height) {
    auto right = steps_.lower_bound(width);  // the first step at least as wide
    if (right != steps_.end() && right->second >= height) return;
    // From right to left, what the box adds over each step that it covers; `floor` is the height
    // that already stands there.
    double floor = right == steps_.end() ? 0 : right->second;
    if (right != steps_.end() && right->first == width) right = steps_.erase(right);
    double edge = width;
    while (right != steps_.begin()) {
      const auto left = std::prev(right);
      area_ += (edge - left->first) * (height - floor);
      edge = left->first;
      floor = left->second;
      if (floor >= height) break;
      right = steps_.erase(left);
    }
    if (floor < height) area_ += edge * (height - floor);
    steps_[width] = height;
  }

 private:
  std::map<double, double> steps_;  // width to height; heights fall as widths rise
  double area_ = 0;
};

double Sweep2(const std::vector<Box>& boxes) {
  Staircase stairs;
  for (const Box& box : boxes) stairs.Insert(box[0], box[1]);
  return stairs.area();
}

// Takes slices of constant area from the tallest box down.
double Sweep3(std::vector<Box> boxes) {
  std::sort(boxes.begin(), boxes.end(), [](const Box& a, const Box& b) { return a[2] > b[2]; });
  Staircase stairs;
  double volume = 0;
  for (size_t i = 0; i < boxes.size(); ++i) {
    stairs.Insert(boxes[i][0], boxes[i][1]);
    const double below = i + 1 < boxes.size() ? boxes[i + 1][2] : 0;
    volume += stairs.area() * (boxes[i][2] - below);
  }
  return volume;
}

double UnionVolume(std::vector<Box> boxes);

// WFG: a box adds its own volume less what it shares with the boxes before it. Those are all at
// least as tall (ordered by falling last side), so that what is shared has this box's own last side
// throughout and the question loses a dimension.
double WfgVolume(const std::vector<Box>& boxes) {
  double volume = 0;
  for (size_t i = 0; i < boxes.size(); ++i) {
    const size_t sides = boxes[i].size() - 1;
    double base = 1;
    for (size_t m = 0; m < sides; ++m) base *= boxes[i][m];
    std::vector<Box> shared(i, Box(sides));
    for (size_t j = 0; j < i; ++j) {
      for (size_t m = 0; m < sides; ++m) shared[j][m] = std::min(boxes[i][m], boxes[j][m]);
    }
    volume += boxes[i][sides] * (base - UnionVolume(std::move(shared)));
  }
  return volume;
}

double UnionVolume(std::vector<Box> boxes) {
  if (boxes.empty()) return 0;
  switch (boxes[0].size()) {
    case 1:
      return (*std::max_element(boxes.begin(), boxes.end()))[0];
    case 2:
      return Sweep2(boxes);
    case 3:
      return Sweep3(std::move(boxes));
    default:
      return WfgVolume(Maximal(std::move(boxes)));
  }
}

}  // namespace

double Hypervolume(const std::vector<Objectives>& points, const Objectives& reference) {
  assert(!reference.empty());
  assert(
      std::all_of(reference.begin(), reference.end(), [](double x) { return std::isfinite(x); }));
  std::vector<Box> boxes;
  for (const Objectives& point : points) {
    assert(point.size() == reference.size());
    Box gains(point.size());
    bool counts = true;
    for (size_t m = 0; m < point.size(); ++m) {
      assert(!std::isnan(point[m]) && point[m] > -std::numeric_limits<double>::infinity());
      gains[m] = reference[m] - point[m];
      counts = counts && gains[m] > 0;
    }
    if (counts) boxes.push_back(std::move(gains));
  }
  return UnionVolume(std::move(boxes));
}

}  // namespace fettle
