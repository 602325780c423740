#include "fettle/network/activation_histogram.h"

#include <algorithm>
#include <cassert>
#include <cmath>

namespace fettle {

void ActivationHistogram::Widen(double value) {
  constexpr size_t kQuarter = kBins / 4, kHalf = kBins / 2;
  while (std::abs(value) > limit_) {
    std::vector<int64_t> wider(kBins);
    for (size_t i = 0; i < kHalf; ++i) wider[kQuarter + i] = bins_[2 * i] + bins_[2 * i + 1];
    bins_ = std::move(wider);
    limit_ *= 2;
  }
}

void ActivationHistogram::Add(std::span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) {
      ++not_finite_;
      continue;
    }
    if (std::abs(value) > limit_) Widen(value);
    low_ = count_ == 0 ? value : std::min<double>(low_, value);
    high_ = count_ == 0 ? value : std::max<double>(high_, value);
    ++count_;
    const double place = (value + limit_) / (2 * limit_) * static_cast<double>(kBins);
    ++bins_[std::min(kBins - 1, static_cast<size_t>(place))];
  }
}

double ActivationHistogram::Quantile(double share) const {
  assert(share >= 0 && share <= 1 && count_ > 0);
  const double wanted = share * static_cast<double>(count_);
  const double width = 2 * limit_ / static_cast<double>(kBins);
  int64_t below = 0;
  for (size_t i = 0; i < kBins; ++i) {
    below += bins_[i];
    if (static_cast<double>(below) < wanted || below == 0) continue;
    return std::clamp(static_cast<double>(i + 1) * width - limit_, low_, high_);
  }
  return high_;
}

}  // namespace fettle
