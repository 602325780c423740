#pragma once

#include <cstdint>
#include <span>

namespace fettle {

// Losses of logits [n, classes] and their gradients. The gradient is that of the loss's sum over
// the images times `scale` (1 / batch for the batch's mean); the loss is the plain sum.

// Softmax cross-entropy against (1 - smoothing) of the label and smoothing / classes of each class.
double CrossEntropy(std::span<const float> logits, std::span<const int32_t> labels,
                    double smoothing, double scale, std::span<float> gradient);

// Knowledge distillation (Hinton, Vinyals & Dean, 2015):
//   alpha T^2 KL(softmax(teacher / T) || softmax(logits / T)) + (1 - alpha) CrossEntropy.
struct Distillation {
  double temperature = 4;  // T
  double alpha = 0.9;
};
double DistillationLoss(std::span<const float> logits, std::span<const int32_t> labels,
                        std::span<const float> teacher_logits, const Distillation& distillation,
                        double smoothing, double scale, std::span<float> gradient);

}  // namespace fettle
