#include "fettle/tuner/accuracy_model.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>
#include <optional>
#include <utility>

#include "fettle/core/cholesky.h"

namespace fettle {
namespace {

using Sample = AccuracyModel::Sample;

// Of the drops on the sums of contributions, through the origin.
double SlopeOf(const std::vector<Sample>& samples) {
  double products = 0, squares = 0;
  for (const Sample& sample : samples) {
    double sum = 0;
    for (const double contribution : sample.contributions) sum += contribution;
    products += sum * sample.drop;
    squares += sum * sum;
  }
  return squares > 0 ? std::max(0.0, products / squares) : 0;
}

double Predicted(const std::vector<double>& weights, const std::vector<double>& contributions) {
  double drop = 0;
  for (size_t d = 0; d < weights.size(); ++d) drop += weights[d] * contributions[d];
  return drop;
}

// The weights for these samples; `strength` in units of the mean square of a contribution.
std::vector<double> WeightsOf(const std::vector<Sample>& samples, double slope, double strength) {
  const size_t n = samples[0].contributions.size();
  std::vector<double> normal(n * n), right(n);
  double mean_square = 0;
  for (const Sample& sample : samples) {
    const std::vector<double>& x = sample.contributions;
    double left_over = sample.drop;
    for (const double contribution : x) left_over -= slope * contribution;
    for (size_t i = 0; i < n; ++i) {
      right[i] += x[i] * left_over;
      mean_square += x[i] * x[i] / static_cast<double>(n);
      for (size_t k = 0; k < n; ++k) normal[i * n + k] += x[i] * x[k];
    }
  }
  for (size_t i = 0; i < n; ++i) normal[i * n + i] += strength * mean_square;
  std::vector<double>& weights = right;
  Cholesky(std::move(normal), n).Solve(weights);
  for (double& weight : weights) weight = std::max(0.0, weight + slope);
  return weights;
}

// The sum of squares when each sample is predicted from the others.
double ErrorOf(const std::vector<Sample>& samples, std::optional<double> strength) {
  double error = 0;
  for (size_t i = 0; i < samples.size(); ++i) {
    std::vector<Sample> others = samples;
    others.erase(others.begin() + static_cast<ptrdiff_t>(i));
    const double slope = SlopeOf(others);
    const std::vector<double> weights =
        strength ? WeightsOf(others, slope, *strength)
                 : std::vector<double>(samples[i].contributions.size(), slope);
    const double miss = Predicted(weights, samples[i].contributions) - samples[i].drop;
    error += miss * miss;
  }
  return error;
}

}  // namespace

AccuracyModel::AccuracyModel(const std::vector<Sample>& samples) {
  if (samples.empty()) return;
  slope_ = SlopeOf(samples);
  weights_.assign(samples[0].contributions.size(), slope_);
  if (slope_ == 0 || samples.size() < 3) return;
  double least = ErrorOf(samples, std::nullopt);
  for (const double strength : {100.0, 30.0, 10.0, 3.0, 1.0, 0.3, 0.1, 0.01, 0.001}) {
    const double error = ErrorOf(samples, strength);
    if (error >= least) continue;
    least = error;
    weights_ = WeightsOf(samples, slope_, strength);
  }
}

double AccuracyModel::Drop(const std::vector<double>& contributions) const {
  assert(is_known() && contributions.size() == weights_.size());
  return Predicted(weights_, contributions);
}

double AccuracyModel::RelativeWeight(size_t decision) const {
  return is_known() ? weights_.at(decision) / slope_ : 1;
}

}  // namespace fettle
