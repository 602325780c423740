#pragma once

#include <cstdint>

#include "fettle/core/dtype.h"
#include "fettle/training/data/augmentation.h"

namespace fettle {

// How a network is trained: stochastic gradient descent with Nesterov momentum, the learning rate
// rising linearly over the warm-up and then falling to 0 along a cosine (Loshchilov & Hutter,
// "SGDR", 2017).
struct TrainSettings {
  double epochs = 30;  // over the whole of the dataset; parts of one are allowed
  int64_t batch = 128;
  double learning_rate = 0.1;  // at its highest
  double momentum = 0.9;
  double weight_decay = 5e-4;  // of weights; biases, scales and shifts have none
  double warmup_epochs = 1;
  double label_smoothing = 0;  // share of the target spread over all classes (Szegedy et al., 2016)
  double average_momentum = 0.1;  // of a batch in batch norm's running averages
  // The network handed out has not the last weights but their exponential averages over the steps,
  // which keep this much of themselves at each; 0 for the last ones (Polyak & Juditsky, 1992).
  double weight_averaging = 0;
  Augmentation augmentation;
  uint64_t seed = 1;
  DType dtype = DType::kF32;  // of activations and their gradients; bf16 keeps f32 weights
  // A batch is cut into so many parts, each with its own batch norm statistics, that are worked on
  // side by side. Results depend on this number but not on how many threads share the work.
  int64_t shards = 2;
};

// Throws an Error (kUsage) that names a setting that makes no sense.
void CheckSettings(const TrainSettings& settings);

// Of step 0 ... steps - 1.
double LearningRate(const TrainSettings& settings, int64_t step, int64_t steps,
                    int64_t warmup_steps);

}  // namespace fettle
