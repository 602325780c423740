#include "fettle/tuner/glimpse.h"

#include "fettle/tuner/recovery.h"

namespace fettle {
namespace {

constexpr int64_t kMostSteps = 12, kFewestSteps = 4;

}  // namespace

double ReckonedTrainingMacsPerSecond(const Target& target) {
  if (target.has_avx512_bf16) return 1e11;
  return target.has_avx512 ? 5e10 : 2.5e10;
}

int64_t GlimpseSteps(int64_t macs_an_image, int64_t glimpses, double budget_seconds,
                     double macs_per_second) {
  if (macs_an_image <= 0 || glimpses <= 0) return 0;
  const double seconds_a_step =
      3.0 * static_cast<double>(macs_an_image) * Recovery::kBatch / macs_per_second;
  const double affordable =
      kGlimpseShare * budget_seconds / (static_cast<double>(glimpses) * seconds_a_step);
  if (affordable < kFewestSteps) return 0;
  return affordable > kMostSteps ? kMostSteps : static_cast<int64_t>(affordable);
}

}  // namespace fettle
