#include <algorithm>
#include <cassert>
#include <cmath>
#include <vector>

#include "fettle/training/trainer/log_softmax.h"
#include "fettle/training/trainer/loss.h"

namespace fettle {

double CrossEntropy(std::span<const float> logits, std::span<const int32_t> labels,
                    double smoothing, double scale, std::span<float> gradient) {
  assert(!labels.empty() && logits.size() % labels.size() == 0 && gradient.size() == logits.size());
  const size_t classes = logits.size() / labels.size();
  const double spread = smoothing / static_cast<double>(classes);
  double loss = 0;
  for (size_t n = 0; n < labels.size(); ++n) {
    const std::vector<double> log = LogSoftmax(logits.subspan(n * classes, classes), 1);
    for (size_t k = 0; k < classes; ++k) {
      const double target = spread + (static_cast<size_t>(labels[n]) == k ? 1 - smoothing : 0);
      loss -= target * log[k];
      gradient[n * classes + k] = static_cast<float>(scale * (std::exp(log[k]) - target));
    }
  }
  return loss;
}

}  // namespace fettle
