#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

// What is done to a pixel before a network sees it: (pixel / 255 - mean) / deviation, a mean and a
// deviation for each channel.
struct Preprocessing {
  std::vector<float> mean, deviation;
};

// Labelled images, all of one size, in memory.
struct Dataset {
  std::string name;             // as the user wrote it, for messages
  Tensor images;                // u8 [N,C,H,W]
  std::vector<int32_t> labels;  // N of them, each in 0 ... num_classes - 1
  int64_t num_classes = 0;
  Preprocessing preprocessing;

  int64_t size() const { return images.shape()[0]; }
  Shape ImageShape() const { return {images.shape().begin() + 1, images.shape().end()}; }  // C,H,W
};

// The preprocessed images first ... first + count - 1 as [count,C,H,W], to be fed to a network.
Tensor Images(const Dataset& dataset, int64_t first, int64_t count);

// The images with these indices, in this order.
Dataset Subset(const Dataset& dataset, const std::vector<int64_t>& indices);

// Throws an Error that names both shapes unless a network with this input ([N,C,H,W]) and so many
// outputs can be fed with the dataset.
void RequireFits(const Dataset& dataset, const Shape& input, int64_t num_outputs);

}  // namespace fettle
