#include "fettle/network/linalg/evbmf.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

namespace fettle {
namespace {

// The free energy as a function of the noise's variance, up to a constant; and the least energy,
// over that of the noise, that counts as a component.
class NoiseModel {
 public:
  NoiseModel(std::vector<double> energies, size_t smaller, size_t larger)
      : energies_(std::move(energies)),
        larger_(static_cast<double>(larger)),
        alpha_(static_cast<double>(smaller) / static_cast<double>(larger)) {
    const double tau = 2.5129 * std::sqrt(alpha_);
    threshold_ = (1 + tau) * (1 + alpha_ / tau);
  }

  double alpha() const { return alpha_; }
  double threshold() const { return threshold_; }

  double FreeEnergy(double variance) const {
    double sum = 0;
    for (const double energy : energies_) {
      const double x = energy / (larger_ * variance);
      if (x <= threshold_) {
        sum += x - std::log(x);
        continue;
      }
      const double over = x - (1 + alpha_);
      const double tau = 0.5 * (over + std::sqrt(over * over - 4 * alpha_));
      sum += x - tau + std::log((tau + 1) / x) + alpha_ * std::log(tau / alpha_ + 1);
    }
    return sum;
  }

 private:
  std::vector<double> energies_;
  double larger_, alpha_, threshold_;
};

// The least of a function with few minima on [low, high]: the best of a grid, made finer around it.
template <typename Function>
double ArgMin(double low, double high, const Function& f) {
  constexpr int kPoints = 256, kZooms = 4;
  double best = low;
  for (int zoom = 0; zoom < kZooms; ++zoom) {
    const double step = std::log(high / low) / kPoints;
    if (!(step > 0)) break;
    const double first = low;
    double least = INFINITY;
    for (int i = 0; i <= kPoints; ++i) {
      const double x = first * std::exp(step * i), value = f(x);
      if (value < least) {
        least = value;
        best = x;
      }
    }
    low = std::max(low, best * std::exp(-step));
    high = std::min(high, best * std::exp(step));
  }
  return best;
}

}  // namespace

size_t EvbmfRank(std::span<const double> spectrum, size_t rows, size_t columns) {
  const size_t smaller = std::min(rows, columns), larger = std::max(rows, columns);
  assert(spectrum.size() == smaller);
  if (smaller == 0 || !(spectrum[0] > 0)) return 0;
  std::vector<double> energies(spectrum.begin(), spectrum.end());
  for (double& energy : energies) energy = std::max(energy, 1e-14 * spectrum[0]);
  const NoiseModel model(energies, smaller, larger);

  // At least so many singular values are noise.
  const auto most =
      static_cast<size_t>(std::ceil(static_cast<double>(smaller) / (1 + model.alpha()))) - 1;
  const size_t first_noise = std::min(most, smaller - 1);
  double whole = 0, noise = 0;
  for (size_t i = 0; i < smaller; ++i) {
    whole += energies[i];
    if (i >= first_noise) noise += energies[i];
  }
  const auto m = static_cast<double>(larger);
  const double high = whole / (m * static_cast<double>(smaller));
  const double low = std::max(energies[first_noise] / (m * model.threshold()),
                              noise / (m * static_cast<double>(smaller - first_noise)));
  const double variance =
      ArgMin(std::min(low, high), high, [&](double v) { return model.FreeEnergy(v); });
  const double least = m * variance * model.threshold();
  return static_cast<size_t>(std::ranges::count_if(energies, [&](double e) { return e > least; }));
}

}  // namespace fettle
