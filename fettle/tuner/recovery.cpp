#include "fettle/tuner/recovery.h"

#include <algorithm>
#include <cmath>

#include "fettle/training/trainer/fine_tuning.h"

namespace fettle {
namespace {

// The learning rate of a recovery of so many steps; of a shorter one it is smaller by the root of
// the share, since there is less time to come down from it again.
constexpr double kRate = 0.03;
constexpr double kStepsOfRate = 250;

}  // namespace

Recovery::Recovery(const Graph& original, const Dataset& train, const Target& target)
    : original_(original), train_(train), target_(target) {
  target_.threads = std::max(target_.threads, 2);
}

void Recovery::Prepare() {
  if (teacher_) return;
  Teacher teacher;
  teacher.logits = Logits(original_, train_, Type(), target_);
  teacher.distillation = {.temperature = 4, .alpha = train_.is_labelled() ? 0.7 : 1};
  teacher_ = std::move(teacher);
}

TrainSettings Recovery::Settings(double steps, uint64_t seed) const {
  TrainSettings settings;
  settings.batch = kBatch;
  settings.epochs = steps * kBatch / static_cast<double>(train_.size());
  settings.learning_rate = kRate * std::min(1.0, std::sqrt(steps / kStepsOfRate));
  settings.warmup_epochs = 0.05 * settings.epochs;
  settings.weight_decay = 1e-4;
  settings.augmentation = train_.augmentation;
  settings.dtype = Type();
  settings.seed = seed;
  return settings;
}

Graph Recovery::Run(const Graph& start, double steps, uint64_t seed,
                    const TrainCallback& callback) {
  Prepare();
  return FineTune(start, train_, Settings(steps, seed), target_, *teacher_, callback);
}

}  // namespace fettle
