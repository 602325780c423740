#include "fettle/training/trainer/train_settings.h"

#include <cmath>
#include <numbers>

#include "fettle/core/error.h"

namespace fettle {
namespace {

void Require(bool holds, const char* setting, double value, const char* range) {
  if (holds) return;
  throw Error(ErrorKind::kUsage, Text(setting, " is ", value, "; it must be ", range));
}

bool IsShare(double value) { return value >= 0 && value < 1; }

}  // namespace

void CheckSettings(const TrainSettings& s) {
  const auto positive = [](double value) { return value > 0 && std::isfinite(value); };
  const auto not_negative = [](double value) { return value >= 0 && std::isfinite(value); };
  Require(positive(s.epochs), "epochs", s.epochs, "above 0");
  Require(s.batch > 0, "batch", static_cast<double>(s.batch), "above 0");
  Require(not_negative(s.learning_rate), "learning rate", s.learning_rate, "0 or more");
  Require(IsShare(s.momentum), "momentum", s.momentum, "from 0 to below 1");
  Require(not_negative(s.weight_decay), "weight decay", s.weight_decay, "0 or more");
  Require(not_negative(s.warmup_epochs), "warm-up", s.warmup_epochs, "0 or more epochs");
  Require(IsShare(s.label_smoothing), "label smoothing", s.label_smoothing, "from 0 to below 1");
  Require(s.average_momentum > 0 && s.average_momentum <= 1, "average momentum", s.average_momentum,
          "above 0 and at most 1");
  Require(IsShare(s.weight_averaging), "weight averaging", s.weight_averaging, "from 0 to below 1");
  Require(IsShare(s.augmentation.erase_probability) || s.augmentation.erase_probability == 1,
          "erase probability", s.augmentation.erase_probability, "from 0 to 1");
  Require(s.augmentation.shift >= 0 && s.augmentation.shift < 1024, "shift",
          static_cast<double>(s.augmentation.shift), "from 0 to 1023 pixels");
  Require(s.shards > 0 && s.batch % s.shards == 0, "shards", static_cast<double>(s.shards),
          "a divisor of the batch");
  if (s.dtype != DType::kF32 && s.dtype != DType::kBF16) {
    throw Error(ErrorKind::kUsage, Text("training is in f32 or bf16, not ", NameOf(s.dtype)));
  }
}

double LearningRate(const TrainSettings& settings, int64_t step, int64_t steps,
                    int64_t warmup_steps) {
  if (step < warmup_steps) {
    return settings.learning_rate * static_cast<double>(step + 1) /
           static_cast<double>(warmup_steps + 1);
  }
  const double done = static_cast<double>(step - warmup_steps) /
                      static_cast<double>(std::max<int64_t>(1, steps - warmup_steps));
  return settings.learning_rate * 0.5 * (1 + std::cos(std::numbers::pi * done));
}

}  // namespace fettle
