#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace fettle {

// How often values fall where, of a stream whose range is not known before: equal bins over
// [-limit, limit], a limit that is doubled, and the bins merged by pairs, when a value lies
// outside.
class ActivationHistogram {
 public:
  static constexpr size_t kBins = 4096;

  // Values that are not finite are counted apart, and nowhere else.
  void Add(std::span<const float> values);

  int64_t count() const { return count_; }
  int64_t not_finite() const { return not_finite_; }
  double low() const { return low_; }    // the least value; 0 where there are none
  double high() const { return high_; }  // the greatest
  double limit() const { return limit_; }
  const std::vector<int64_t>& bins() const { return bins_; }

  // The value that a share of all values does not exceed, to within a bin's width. Asserts
  // 0 <= share <= 1 and count() > 0.
  double Quantile(double share) const;

 private:
  void Widen(double value);

  std::vector<int64_t> bins_ = std::vector<int64_t>(kBins);
  double limit_ = 0x1p-20, low_ = 0, high_ = 0;
  int64_t count_ = 0, not_finite_ = 0;
};

}  // namespace fettle
