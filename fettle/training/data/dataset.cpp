#include "fettle/training/data/dataset.h"

#include <algorithm>
#include <cassert>

#include "fettle/core/error.h"

namespace fettle {

Tensor Images(const Dataset& dataset, int64_t first, int64_t count) {
  assert(first >= 0 && count >= 0 && first + count <= dataset.size());
  const Shape image = dataset.ImageShape();
  Tensor result(TensorType{DType::kF32, {count, image[0], image[1], image[2]}});
  const int64_t plane = image[1] * image[2];
  const uint8_t* from = dataset.images.values<uint8_t>().data() + first * image[0] * plane;
  float* to = result.values<float>().data();
  for (int64_t i = 0; i < count * image[0]; ++i) {
    const auto channel = static_cast<size_t>(i % image[0]);
    const float scale = 1 / (255 * dataset.preprocessing.deviation[channel]);
    const float mean = 255 * dataset.preprocessing.mean[channel];
    for (int64_t p = 0; p < plane; ++p) *to++ = (static_cast<float>(*from++) - mean) * scale;
  }
  return result;
}

Dataset Subset(const Dataset& dataset, const std::vector<int64_t>& indices) {
  Dataset result{dataset.name,        Tensor(), {}, dataset.num_classes, dataset.preprocessing,
                 dataset.augmentation};
  Shape shape = dataset.images.shape();
  shape[0] = static_cast<int64_t>(indices.size());
  result.images = Tensor(TensorType{DType::kU8, shape});
  const int64_t bytes = ElementCount(dataset.ImageShape());
  uint8_t* to = result.images.values<uint8_t>().data();
  for (const int64_t index : indices) {
    to = std::copy_n(dataset.images.values<uint8_t>().data() + index * bytes, bytes, to);
    if (dataset.is_labelled()) {
      result.labels.push_back(dataset.labels[static_cast<size_t>(index)]);
    }
  }
  return result;
}

void RequireFits(const Dataset& dataset, const Shape& input, int64_t num_outputs) {
  const Shape image = dataset.ImageShape();
  if (input.size() != 4 || !std::equal(image.begin(), image.end(), input.begin() + 1)) {
    throw BadInput(dataset.name, ": its images are ", ShapeText(image),
                   ", but the model's input is ", ShapeText(input),
                   " (batch first); take another dataset, or option pad to enlarge the images");
  }
  if (dataset.is_labelled() && num_outputs != dataset.num_classes) {
    throw BadInput(dataset.name, ": it has ", dataset.num_classes, " classes, but the model has ",
                   num_outputs, " outputs");
  }
}

}  // namespace fettle
