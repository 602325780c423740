// How well one quantity ranks another: what a proxy or a predictor is judged by.
#pragma once

#include <optional>
#include <vector>

namespace fettle {

// Kendall's tau-b (Kendall 1945), with the correction for ties:
//   (concordant - discordant) / sqrt((pairs - pairs tied in x) (pairs - pairs tied in y)),
// by counting the exchanges of a merge sort, O(n log n) (Knight, JASA 1966). In [-1, 1]; nothing
// where it is undefined: fewer than two values, or all values of one side equal.
// Asserts equal lengths and no NaN.
std::optional<double> KendallTau(const std::vector<double>& x, const std::vector<double>& y);

// Spearman's rho: Pearson's correlation of the ranks, tied values sharing their mean rank
// (Spearman 1904). Range, undefined cases and assertions as above.
std::optional<double> SpearmanRho(const std::vector<double>& x, const std::vector<double>& y);

// The ranks, from 1, of values in ascending order; tied values share the mean of their ranks.
std::vector<double> MeanRanks(const std::vector<double>& values);

}  // namespace fettle
