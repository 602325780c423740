#include "fettle/training/trainer/optimiser.h"

#include <cassert>

namespace fettle {

Optimiser::Optimiser(const TrainSettings& settings, const std::vector<Parameter>& parameters)
    : momentum_(settings.momentum),
      weight_decay_(settings.weight_decay),
      average_momentum_(settings.average_momentum) {
  for (const Parameter& parameter : parameters) {
    const bool is_estimated = parameter.kind == ParameterKind::kEstimated;
    velocities_.push_back(is_estimated ? Tensor() : Tensor(parameter.values.type()));
  }
}

void Optimiser::Step(double learning_rate, const std::vector<Tensor>& gradients,
                     std::vector<Parameter>* parameters) {
  assert(gradients.size() == parameters->size());
  const auto rate = static_cast<float>(learning_rate);
  const auto momentum = static_cast<float>(momentum_);
  const auto share = static_cast<float>(average_momentum_);
  for (size_t p = 0; p < gradients.size(); ++p) {
    Parameter& parameter = (*parameters)[p];
    const std::span<float> values = parameter.values.values<float>();
    const std::span<const float> gradient = gradients[p].values<float>();
    if (parameter.kind == ParameterKind::kEstimated) {
      for (size_t i = 0; i < values.size(); ++i) values[i] += share * (gradient[i] - values[i]);
      continue;
    }
    const std::span<float> velocity = velocities_[p].values<float>();
    const float decay =
        parameter.kind == ParameterKind::kWeight ? static_cast<float>(weight_decay_) : 0;
    for (size_t i = 0; i < values.size(); ++i) {
      const float slope = gradient[i] + decay * values[i];
      velocity[i] = momentum * velocity[i] + slope;
      values[i] -= rate * (slope + momentum * velocity[i]);
    }
  }
}

}  // namespace fettle
