#include "fettle/tuner/glimpse.h"

#include <algorithm>

#include "fettle/tuner/recovery.h"

namespace fettle {
namespace {

constexpr int64_t kMostSteps = 12, kFewestSteps = 4;
constexpr int64_t kEnoughSteps = 8;
constexpr size_t kFewestVariants = 12, kMostVariants = 96;

double SecondsOfAStep(int64_t macs_an_image, double macs_per_second) {
  return 3.0 * static_cast<double>(macs_an_image) * Recovery::kBatch / macs_per_second;
}

}  // namespace

double ReckonedTrainingMacsPerSecond(const Target& target) {
  if (target.has_avx512_bf16) return 1e11;
  return target.has_avx512 ? 5e10 : 2.5e10;
}

int64_t GlimpseSteps(int64_t macs_an_image, int64_t glimpses, double budget_seconds,
                     double macs_per_second) {
  if (macs_an_image <= 0 || glimpses <= 0) return 0;
  const double affordable =
      kGlimpseShare * budget_seconds /
      (static_cast<double>(glimpses) * SecondsOfAStep(macs_an_image, macs_per_second));
  if (affordable < kFewestSteps) return 0;
  return affordable > kMostSteps ? kMostSteps : static_cast<int64_t>(affordable);
}

size_t MostVariants(int64_t macs_an_image, double budget_seconds, double macs_per_second) {
  if (macs_an_image <= 0) return kFewestVariants;
  const double glimpses = kGlimpseShare * budget_seconds /
                          (kEnoughSteps * SecondsOfAStep(macs_an_image, macs_per_second));
  return std::clamp(static_cast<size_t>(std::min(glimpses / 2, 1e6)), kFewestVariants,
                    kMostVariants);
}

}  // namespace fettle
