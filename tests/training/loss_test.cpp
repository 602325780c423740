#include "fettle/training/trainer/loss.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <vector>

#include "fettle/core/random.h"

namespace fettle {
namespace {

using Row = std::vector<double>;

Row Softmax(const Row& logits, double temperature) {
  Row result;
  double sum = 0;
  for (const double logit : logits) sum += std::exp(logit / temperature);
  for (const double logit : logits) result.push_back(std::exp(logit / temperature) / sum);
  return result;
}

// The losses as their definitions read, for one image.
double PlainCrossEntropy(const Row& logits, size_t label, double smoothing) {
  double loss = 0;
  const Row p = Softmax(logits, 1);
  for (size_t k = 0; k < p.size(); ++k) {
    const double target =
        smoothing / static_cast<double>(p.size()) + (k == label ? 1 - smoothing : 0);
    loss -= target * std::log(p[k]);
  }
  return loss;
}

double PlainDistillation(const Row& logits, const Row& teacher, size_t label, double smoothing,
                         const Distillation& d) {
  const Row p = Softmax(logits, d.temperature), q = Softmax(teacher, d.temperature);
  double divergence = 0;
  for (size_t k = 0; k < p.size(); ++k) divergence += q[k] * std::log(q[k] / p[k]);
  return d.alpha * d.temperature * d.temperature * divergence +
         (1 - d.alpha) * PlainCrossEntropy(logits, label, smoothing);
}

constexpr size_t kClasses = 4, kImages = 3;
const std::vector<int32_t> kLabels{2, 0, 3};

std::vector<float> RandomLogits(uint64_t seed) {
  Random random(seed);
  std::vector<float> logits(kClasses * kImages);
  for (float& logit : logits) logit = static_cast<float>(random.Normal(0, 3));
  return logits;
}

Row RowOf(const std::vector<float>& logits, size_t image) {
  return {logits.begin() + static_cast<ptrdiff_t>(image * kClasses),
          logits.begin() + static_cast<ptrdiff_t>((image + 1) * kClasses)};
}

// Sum over the images, and its gradient by central differences.
void ExpectLossAndGradient(double loss, const std::vector<float>& gradient,
                           const std::vector<float>& logits,
                           const std::function<double(const Row&, size_t image)>& of_image) {
  double sum = 0;
  for (size_t n = 0; n < kImages; ++n) {
    sum += of_image(RowOf(logits, n), n);
    for (size_t k = 0; k < kClasses; ++k) {
      Row above = RowOf(logits, n), below = above;
      above[k] += 1e-5;
      below[k] -= 1e-5;
      const double expected = (of_image(above, n) - of_image(below, n)) / 2e-5;
      EXPECT_NEAR(gradient[n * kClasses + k], 0.5 * expected, 1e-5);
    }
  }
  EXPECT_NEAR(loss, sum, 1e-6 * (1 + sum));
}

TEST(LossTest, CrossEntropyAndItsGradient) {
  const std::vector<float> logits = RandomLogits(1);
  for (const double smoothing : {0.0, 0.1}) {
    std::vector<float> gradient(logits.size());
    const double loss = CrossEntropy(logits, kLabels, smoothing, 0.5, gradient);
    ExpectLossAndGradient(loss, gradient, logits, [&](const Row& row, size_t n) {
      return PlainCrossEntropy(row, static_cast<size_t>(kLabels[n]), smoothing);
    });
  }
}

TEST(LossTest, CrossEntropyOfHugeLogitsIsFinite) {
  const std::vector<float> logits{1e4f, -1e4f};
  std::vector<float> gradient(2);
  EXPECT_DOUBLE_EQ(CrossEntropy(logits, std::vector<int32_t>{1}, 0, 1, gradient), 2e4);
  EXPECT_THAT(gradient, testing::ElementsAre(1, -1));
}

TEST(LossTest, DistillationAndItsGradient) {
  const std::vector<float> logits = RandomLogits(1), teacher = RandomLogits(2);
  for (const Distillation& d : {Distillation{4, 0.9}, Distillation{1, 1}, Distillation{2, 0}}) {
    std::vector<float> gradient(logits.size());
    const double loss = DistillationLoss(logits, kLabels, teacher, d, 0.1, 0.5, gradient);
    ExpectLossAndGradient(loss, gradient, logits, [&](const Row& row, size_t n) {
      return PlainDistillation(row, RowOf(teacher, n), static_cast<size_t>(kLabels[n]), 0.1, d);
    });
  }
}

TEST(LossTest, DistillationFromItselfIsZero) {
  const std::vector<float> logits = RandomLogits(1);
  std::vector<float> gradient(logits.size());
  EXPECT_NEAR(DistillationLoss(logits, kLabels, logits, {4, 1}, 0, 1, gradient), 0, 1e-9);
  for (const float slope : gradient) EXPECT_NEAR(slope, 0, 1e-7);
}

}  // namespace
}  // namespace fettle
