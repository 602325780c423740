#include "fettle/training/data/dataset.h"

#include <algorithm>
#include <cassert>

#include "fettle/core/error.h"

namespace fettle {

namespace {

template <typename Pixel>
void Preprocess(const Dataset& dataset, int64_t first, Tensor* result) {
  const Shape image = dataset.ImageShape();
  const int64_t plane = image[1] * image[2];
  const Pixel* from = dataset.images.values<Pixel>().data() + first * image[0] * plane;
  float* to = result->values<float>().data();
  const Preprocessing& how = dataset.preprocessing;
  for (int64_t i = 0; i < result->shape()[0] * image[0]; ++i) {
    const auto channel = static_cast<size_t>(i % image[0]);
    const float scale = 1 / (how.scale * how.deviation[channel]);
    const float mean = how.scale * how.mean[channel];
    for (int64_t p = 0; p < plane; ++p) *to++ = (static_cast<float>(*from++) - mean) * scale;
  }
}

}  // namespace

Tensor Images(const Dataset& dataset, int64_t first, int64_t count) {
  assert(first >= 0 && count >= 0 && first + count <= dataset.size());
  const Shape image = dataset.ImageShape();
  Tensor result(TensorType{DType::kF32, {count, image[0], image[1], image[2]}});
  if (dataset.images.dtype() == DType::kU8) {
    Preprocess<uint8_t>(dataset, first, &result);
  } else {
    Preprocess<float>(dataset, first, &result);
  }
  return result;
}

Tensor ImagesAt(const Tensor& images, const std::vector<int64_t>& indices) {
  Shape shape = images.shape();
  shape[0] = static_cast<int64_t>(indices.size());
  Tensor result(TensorType{images.dtype(), shape});
  const size_t bytes =
      images.shape()[0] == 0 ? 0 : images.num_bytes() / static_cast<size_t>(images.shape()[0]);
  std::byte* to = result.bytes();
  for (const int64_t index : indices) {
    to = std::copy_n(images.bytes() + static_cast<size_t>(index) * bytes, bytes, to);
  }
  return result;
}

Dataset Subset(const Dataset& dataset, const std::vector<int64_t>& indices) {
  Dataset result;
  result.name = dataset.name;
  result.images = ImagesAt(dataset.images, indices);
  result.num_classes = dataset.num_classes;
  result.preprocessing = dataset.preprocessing;
  result.augmentation = dataset.augmentation;
  result.classes = dataset.classes;
  if (!dataset.is_labelled()) return result;
  for (const int64_t index : indices) {
    result.labels.push_back(dataset.labels[static_cast<size_t>(index)]);
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
                   num_outputs,
                   " outputs; take another dataset, or tell the classes (option classes, or "
                   "classes.txt: docs/data.md)");
  }
}

}  // namespace fettle
