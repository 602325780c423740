#include "fettle/core/statistics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace fettle {
namespace {

constexpr double kTail = 0.025;
constexpr double kNormalQuantile = 1.959963984540054;  // of 1 - kTail

std::vector<double> Sorted(std::span<const double> samples) {
  std::vector<double> sorted(samples.begin(), samples.end());
  assert(std::none_of(sorted.begin(), sorted.end(), [](double x) { return std::isnan(x); }));
  std::sort(sorted.begin(), sorted.end());
  return sorted;
}

double MiddleOf(const std::vector<double>& sorted) {
  const size_t half = sorted.size() / 2;
  return sorted.size() % 2 == 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

// The largest l with P(Binomial(n, 1/2) < l) <= kTail; 0 if there is none.
size_t LowerRank(size_t n) {
  // Terms C(n, k) / 2^n by their logarithms: 2^-n underflows for the thousands of samples of a
  // fast kernel.
  const double log_scale = -static_cast<double>(n) * std::log(2.0);
  double log_choose = 0;
  double cumulative = 0;
  for (size_t k = 0; k < n; ++k) {
    cumulative += std::exp(log_choose + log_scale);
    if (cumulative > kTail) return k;
    log_choose += std::log(static_cast<double>(n - k)) - std::log(static_cast<double>(k + 1));
  }
  return 0;
}

// Tango's score statistic of the difference `delta` = P(gained) - P(lost): how many standard errors
// the observed difference lies above it, with the nuisance parameter P(lost) at its maximum
// likelihood, the larger root of a p^2 + b p + c = 0 (the likelihood's derivative set to zero).
double TangoScore(double gained, double lost, double images, double delta) {
  const double a = 2 * images;
  const double b = -gained - lost + (2 * images - gained + lost) * delta;
  const double c = -lost * delta * (1 - delta);
  const double root = std::sqrt(std::max(0.0, b * b - 4 * a * c));
  const double p_lost = (root - b) / (2 * a);
  const double variance = images * (2 * p_lost + delta - delta * delta);
  const double difference = gained - lost - images * delta;
  if (variance <= 0) return difference == 0 ? 0 : std::copysign(INFINITY, difference);
  return difference / std::sqrt(variance);
}

// Where a function that falls with x passes `target`, between low and high.
template <typename Falling>
double Bisect(double low, double high, double target, const Falling& falling) {
  for (int i = 0; i < 100; ++i) {
    const double middle = (low + high) / 2;
    (falling(middle) > target ? low : high) = middle;
  }
  return (low + high) / 2;
}

}  // namespace

double Median(std::span<const double> samples) {
  assert(!samples.empty());
  return MiddleOf(Sorted(samples));
}

std::optional<Interval> MedianInterval(std::span<const double> samples) {
  const size_t rank = LowerRank(samples.size());
  if (rank == 0) return std::nullopt;
  const std::vector<double> sorted = Sorted(samples);
  return Interval{MiddleOf(sorted), sorted[rank - 1], sorted[sorted.size() - rank]};
}

Interval WilsonInterval(int64_t successes, int64_t trials) {
  assert(trials > 0 && 0 <= successes && successes <= trials);
  const double n = static_cast<double>(trials);
  const double share = static_cast<double>(successes) / n;
  const double z2 = kNormalQuantile * kNormalQuantile;
  const double centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const double half =
      kNormalQuantile / (1 + z2 / n) * std::sqrt(share * (1 - share) / n + z2 / (4 * n * n));
  // The ends are exact where rounding would leave them a hair off.
  const double low = successes == 0 ? 0 : std::max(0.0, centre - half);
  const double high = successes == trials ? 1 : std::min(1.0, centre + half);
  return {share, low, high};
}

Interval PairedDifference(int64_t gained, int64_t lost, int64_t images) {
  assert(images > 0 && gained >= 0 && lost >= 0 && gained + lost <= images);
  const auto n = static_cast<double>(images);
  const auto g = static_cast<double>(gained);
  const auto l = static_cast<double>(lost);
  const double value = (g - l) / n;
  const auto score = [&](double delta) { return TangoScore(g, l, n, delta); };
  return {value, Bisect(-1, value, kNormalQuantile, score),
          Bisect(value, 1, -kNormalQuantile, score)};
}

}  // namespace fettle
