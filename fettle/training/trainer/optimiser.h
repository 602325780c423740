#pragma once

#include <vector>

#include "fettle/training/trainer/parameter.h"
#include "fettle/training/trainer/train_settings.h"

namespace fettle {

// Stochastic gradient descent with Nesterov momentum (Sutskever et al., 2013), as
//   v = momentum v + g + decay w,  w = w - rate (g + decay w + momentum v),
// decay only for parameters of kind kWeight. Estimated parameters move towards the estimate by the
// averages' momentum.
class Optimiser {
 public:
  Optimiser(const TrainSettings& settings, const std::vector<Parameter>& parameters);

  // `gradients`: for each parameter its gradient or estimate.
  void Step(double learning_rate, const std::vector<Tensor>& gradients,
            std::vector<Parameter>* parameters);

  // One for each parameter, for checkpoints; empty tensors for the estimated ones.
  std::vector<Tensor>& velocities() { return velocities_; }
  const std::vector<Tensor>& velocities() const { return velocities_; }

 private:
  double momentum_, weight_decay_, average_momentum_;
  std::vector<Tensor> velocities_;
};

}  // namespace fettle
