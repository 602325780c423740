#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

// What is done to an image before a network sees it. Resizing, cropping and padding are done when
// it is loaded; then each pixel becomes (pixel / scale - mean) / deviation, with a mean and a
// deviation for each channel.
struct Preprocessing {
  std::vector<float> mean, deviation;
  float scale = 255;
  int64_t resize = 0;  // the shorter side, in pixels; 0: as it was
  int64_t crop = 0;    // the side of the square cut from the middle; 0: none
  int64_t pad = 0;     // rows and columns of zeros added at each edge
};

// Random changes that leave an image's class as it is.
struct Augmentation {
  bool flip = false;             // left to right, every second time
  int64_t shift = 0;             // up to so many pixels in each direction; zeros come in
  double erase_probability = 0;  // a rectangle of 2 to 25 % of the area filled with the mean pixel
                                 // (Zhong et al., "Random Erasing", 2017)

  friend bool operator==(const Augmentation&, const Augmentation&) = default;
};

// Images, all of one size, in memory.
struct Dataset {
  std::string name;             // as the user wrote it, for messages
  Tensor images;                // u8 or f32 [N,C,H,W]
  std::vector<int32_t> labels;  // N of them, each in 0 ... num_classes - 1; none if unlabelled
  int64_t num_classes = 0;      // 0 if unlabelled
  Preprocessing preprocessing;
  Augmentation augmentation;  // what its classes bear, by its format; none where that is not known
  std::vector<std::string> classes;  // their names, by label, where the files tell

  int64_t size() const { return images.shape()[0]; }
  bool is_labelled() const { return !labels.empty(); }
  Shape ImageShape() const { return {images.shape().begin() + 1, images.shape().end()}; }  // C,H,W
};

// The preprocessed images first ... first + count - 1 as [count,C,H,W], to be fed to a network.
Tensor Images(const Dataset& dataset, int64_t first, int64_t count);

// Of images [N,...], those with these indices, in this order.
Tensor ImagesAt(const Tensor& images, const std::vector<int64_t>& indices);

// The same of a dataset.
Dataset Subset(const Dataset& dataset, const std::vector<int64_t>& indices);

// Throws an Error that names both shapes unless a network with this input ([N,C,H,W]) and so many
// outputs can be fed with the dataset; without labels any number will do.
void RequireFits(const Dataset& dataset, const Shape& input, int64_t num_outputs);

}  // namespace fettle
