#include "fettle/cost_models/layer_predictor.h"

#include <cmath>

namespace fettle {
namespace {

constexpr double kSlowRate = 1e-6;   // ms a unit of work: a thousand million units a second
constexpr double kBandwidth = 0.5;   // of the kernel: a factor of 1.6 in one extent
constexpr double kOwnSpread = 0.15;  // of a family's logarithms, whatever the neighbours say
constexpr double kBorrowed = 0.5;    // further spread where another family answers

struct Weighted {
  double mean = 0, spread = 0;
};

// The mean and deviation of the points' log rates, the near ones counting more.
template <typename Points>
Weighted Regress(const Points& points, const std::array<double, 4>& extents) {
  double weights = 0, sum = 0, squares = 0, nearest = 1e300;
  for (const auto& point : points) {
    double distance = 0;
    for (size_t i = 0; i < extents.size(); ++i) {
      distance += (point.extents[i] - extents[i]) * (point.extents[i] - extents[i]);
    }
    nearest = std::min(nearest, distance);
    // A heavy tail, so that far points still answer where there are no near ones.
    const double weight = 1 / (1e-3 + std::pow(distance / (kBandwidth * kBandwidth), 2));
    weights += weight;
    sum += weight * point.log_rate;
    squares += weight * point.log_rate * point.log_rate;
  }
  const double mean = sum / weights;
  const double variance = std::max(0.0, squares / weights - mean * mean);
  return {mean, std::sqrt(variance) + kOwnSpread * std::sqrt(nearest)};
}

}  // namespace

void LayerPredictor::Add(const LayerSpec& spec, const Implementation& implementation, double ms) {
  if (!(ms > 0)) return;
  const LayerFeatures features = FeaturesOf(spec, implementation);
  const Point point{features.extents, std::log(ms / features.work)};
  families_[features.family].push_back(point);
  primitives_[features.primitive].push_back(point);
  ++num_measurements_;
}

Estimate LayerPredictor::Predict(const LayerSpec& spec,
                                 const Implementation& implementation) const {
  const LayerFeatures features = FeaturesOf(spec, implementation);
  Weighted rate{std::log(kSlowRate), 2};
  if (const auto found = families_.find(features.family); found != families_.end()) {
    rate = Regress(found->second, features.extents);
    rate.spread += kOwnSpread;
  } else if (const auto wider = primitives_.find(features.primitive); wider != primitives_.end()) {
    rate = Regress(wider->second, features.extents);
    rate.spread += kBorrowed;
  }
  const double ms = std::exp(rate.mean) * features.work;
  const double factor = std::exp(2 * rate.spread);
  return {ms, ms / factor, ms * factor, EstimateOrigin::kPredicted};
}

}  // namespace fettle
