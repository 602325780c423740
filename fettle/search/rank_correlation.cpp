#include "fettle/search/rank_correlation.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <numeric>

namespace fettle {
namespace {

// Sorts values[begin, end) and returns how many pairs stood in descending order.
int64_t SortAndCountInversions(std::vector<double>* values, std::vector<double>* spare,
                               size_t begin, size_t end) {
  if (end - begin < 2) return 0;
  const size_t middle = begin + (end - begin) / 2;
  int64_t inversions = SortAndCountInversions(values, spare, begin, middle) +
                       SortAndCountInversions(values, spare, middle, end);
  size_t left = begin, right = middle;
  for (size_t out = begin; out < end; ++out) {
    if (left < middle && (right == end || (*values)[left] <= (*values)[right])) {
      (*spare)[out] = (*values)[left++];
    } else {
      inversions += static_cast<int64_t>(middle - left);
      (*spare)[out] = (*values)[right++];
    }
  }
  std::copy(spare->begin() + static_cast<std::ptrdiff_t>(begin),
            spare->begin() + static_cast<std::ptrdiff_t>(end),
            values->begin() + static_cast<std::ptrdiff_t>(begin));
  return inversions;
}

// The pairs within runs of neighbours for which same(i - 1, i) holds.
template <typename Same>
int64_t PairsInRuns(size_t n, const Same& same) {
  int64_t pairs = 0, run = 0;
  for (size_t i = 1; i < n; ++i) {
    run = same(i - 1, i) ? run + 1 : 0;
    pairs += run;  // the i-th value pairs with each earlier one of its run
  }
  return pairs;
}

void AssertComparable([[maybe_unused]] const std::vector<double>& x,
                      [[maybe_unused]] const std::vector<double>& y) {
  assert(x.size() == y.size());
  assert(std::none_of(x.begin(), x.end(), [](double v) { return std::isnan(v); }));
  assert(std::none_of(y.begin(), y.end(), [](double v) { return std::isnan(v); }));
}

}  // namespace

std::optional<double> KendallTau(const std::vector<double>& x, const std::vector<double>& y) {
  AssertComparable(x, y);
  const size_t n = x.size();
  std::vector<size_t> order(n);
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return x[a] != x[b] ? x[a] < x[b] : y[a] < y[b]; });
  const auto same_x = [&](size_t i, size_t j) { return x[order[i]] == x[order[j]]; };
  const int64_t tied_x = PairsInRuns(n, same_x);
  const int64_t tied_both = PairsInRuns(
      n, [&](size_t i, size_t j) { return same_x(i, j) && y[order[i]] == y[order[j]]; });
  std::vector<double> by_x(n), spare(n);
  for (size_t i = 0; i < n; ++i) by_x[i] = y[order[i]];
  // Within ties of x the y ascend, so that only true discordances are counted.
  const int64_t discordant = SortAndCountInversions(&by_x, &spare, 0, n);
  const int64_t tied_y = PairsInRuns(n, [&](size_t i, size_t j) { return by_x[i] == by_x[j]; });
  const int64_t count = static_cast<int64_t>(n);
  const int64_t pairs = count * (count - 1) / 2;
  if (pairs == tied_x || pairs == tied_y) return std::nullopt;
  const int64_t concordant = pairs - tied_x - tied_y + tied_both - discordant;
  return static_cast<double>(concordant - discordant) /
         (std::sqrt(static_cast<double>(pairs - tied_x)) *
          std::sqrt(static_cast<double>(pairs - tied_y)));
}

std::vector<double> MeanRanks(const std::vector<double>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t begin = 0, end = 0; begin < order.size(); begin = end) {
    while (end < order.size() && values[order[end]] == values[order[begin]]) ++end;
    const double mean = (static_cast<double>(begin) + 1 + static_cast<double>(end)) / 2;
    for (size_t i = begin; i < end; ++i) ranks[order[i]] = mean;
  }
  return ranks;
}

std::optional<double> SpearmanRho(const std::vector<double>& x, const std::vector<double>& y) {
  AssertComparable(x, y);
  const std::vector<double> ranks_x = MeanRanks(x), ranks_y = MeanRanks(y);
  const double mean = (static_cast<double>(x.size()) + 1) / 2;  // of ranks, tied or not
  double xx = 0, yy = 0, xy = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const double dx = ranks_x[i] - mean, dy = ranks_y[i] - mean;
    xx += dx * dx;
    yy += dy * dy;
    xy += dx * dy;
  }
  if (xx == 0 || yy == 0) return std::nullopt;
  return std::clamp(xy / (std::sqrt(xx) * std::sqrt(yy)), -1.0, 1.0);
}

}  // namespace fettle
