#pragma once

#include <cstdint>

#include "fettle/training/data/dataset.h"

namespace fettle {

// Random changes that leave an image's class as it is.
struct Augmentation {
  bool flip = false;             // left to right, every second time
  int64_t shift = 0;             // up to so many pixels in each direction; zeros come in
  double erase_probability = 0;  // a rectangle of 2 to 25 % of the area filled with the mean pixel
                                 // (Zhong et al., "Random Erasing", 2017)
};

// Image `index`, changed and preprocessed, with its channels last: [H,W,C]. The changes depend on
// seed, epoch and index alone.
void CopyAugmented(const Dataset& dataset, int64_t index, const Augmentation& augmentation,
                   uint64_t seed, int64_t epoch, float* pixels);

// Image `index` preprocessed, with its channels last.
void CopyChannelsLast(const Dataset& dataset, int64_t index, float* pixels);

}  // namespace fettle
