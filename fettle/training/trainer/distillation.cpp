#include <cassert>
#include <cmath>
#include <vector>

#include "fettle/training/trainer/log_softmax.h"
#include "fettle/training/trainer/loss.h"

namespace fettle {

double DistillationLoss(std::span<const float> logits, std::span<const int32_t> labels,
                        std::span<const float> teacher_logits, const Distillation& distillation,
                        double smoothing, double scale, std::span<float> gradient) {
  assert(teacher_logits.size() == logits.size());
  const double alpha = distillation.alpha, temperature = distillation.temperature;
  double loss =
      (1 - alpha) * CrossEntropy(logits, labels, smoothing, (1 - alpha) * scale, gradient);
  const size_t classes = logits.size() / labels.size();
  for (size_t n = 0; n < labels.size(); ++n) {
    const auto student = LogSoftmax(logits.subspan(n * classes, classes), temperature);
    const auto teacher = LogSoftmax(teacher_logits.subspan(n * classes, classes), temperature);
    for (size_t k = 0; k < classes; ++k) {
      const double target = std::exp(teacher[k]);
      loss += alpha * temperature * temperature * target * (teacher[k] - student[k]);
      gradient[n * classes + k] +=
          static_cast<float>(scale * alpha * temperature * (std::exp(student[k]) - target));
    }
  }
  return loss;
}

}  // namespace fettle
