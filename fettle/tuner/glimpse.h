#pragma once

#include <cstddef>
#include <cstdint>

#include "fettle/core/target.h"

namespace fettle {

// A glimpse of a recovery: the few steps of training, always the same, after which the loss of a
// narrower network tells a width that is repaired at once from one that is lost.
inline constexpr double kGlimpseShare = 0.2;  // of the budget is the most that all glimpses take

// The multiplications of a forward pass that training is reckoned to do in a second (forward and
// both backward passes count as three). By the instruction set, not measured: what a session asks
// for must not depend on the clock.
double ReckonedTrainingMacsPerSecond(const Target& target);

// Steps of each of `glimpses` for a network of so many multiplications an image: 12, fewer where
// that is reckoned at more than their share of the budget, and none below 4.
int64_t GlimpseSteps(int64_t macs_an_image, int64_t glimpses, double budget_seconds,
                     double macs_per_second);

// How many rewritten layers may be looked at, so that glimpses of them and of as many widths again
// get enough steps; a few at the least.
size_t MostVariants(int64_t macs_an_image, double budget_seconds, double macs_per_second);

}  // namespace fettle
