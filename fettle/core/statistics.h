#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

namespace fettle {

// A value with the interval that covers it at the stated confidence (95 % throughout Fettle).
struct Interval {
  double value = 0;
  double low = 0;
  double high = 0;

  friend bool operator==(const Interval&, const Interval&) = default;
};

// What a median needs to have an interval.
inline constexpr size_t kFewestForMedianInterval = 6;

// The median of the samples with a distribution-free interval between two of them: the order
// statistics l and n+1-l with the largest l for which P(Binomial(n, 1/2) < l) <= 2.5 %
// (David & Nagaraja, Order Statistics, 3rd ed., section 7.1). Nothing for fewer than 6 samples
// (kFewestForMedianInterval), of which even the extremes cover the median less often than 95 %.
// Asserts that no sample is NaN.
std::optional<Interval> MedianInterval(std::span<const double> samples);

// The middle sample, or the mean of the middle two. Asserts at least one sample and no NaN.
double Median(std::span<const double> samples);

// The share of `successes` among `trials` by Wilson's score interval at 95 % (Wilson 1927), which
// stays within [0, 1] and is sound at 0 and at `trials`. Asserts 0 <= successes <= trials and
// trials > 0.
Interval WilsonInterval(int64_t successes, int64_t trials);

// By how much the second of two classifiers is right more often than the first on the same images:
// value = (gained - lost) / images, with Tango's score interval for a difference of paired
// proportions at 95 % (Tango 1998), which unlike Wald's is sound for few or no disagreements.
// `gained`: images only the second has right; `lost`: images only the first has right. Asserts
// 0 <= gained, 0 <= lost, gained + lost <= images and images > 0.
Interval PairedDifference(int64_t gained, int64_t lost, int64_t images);

}  // namespace fettle
