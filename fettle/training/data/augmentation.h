#pragma once

#include <cstdint>

#include "fettle/training/data/dataset.h"

namespace fettle {

// Image `index`, changed and preprocessed, with its channels last: [H,W,C]. The changes depend on
// seed, epoch and index alone.
void CopyAugmented(const Dataset& dataset, int64_t index, const Augmentation& augmentation,
                   uint64_t seed, int64_t epoch, float* pixels);

// Image `index` preprocessed, with its channels last.
void CopyChannelsLast(const Dataset& dataset, int64_t index, float* pixels);

}  // namespace fettle
