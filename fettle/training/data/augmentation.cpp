#include "fettle/training/data/augmentation.h"

#include <algorithm>
#include <cmath>

#include "fettle/core/random.h"

namespace fettle {
namespace {

struct Rectangle {
  int64_t top = 0, left = 0, height = 0, width = 0;

  bool Contains(int64_t y, int64_t x) const {
    return y >= top && y < top + height && x >= left && x < left + width;
  }
};

struct Change {
  bool flip = false;
  int64_t down = 0, right = 0;
  Rectangle erased;
};

Rectangle DrawRectangle(int64_t height, int64_t width, Random* random) {
  const double area = random->Uniform(0.02, 0.25) * static_cast<double>(height * width);
  const double aspect = random->Uniform(0.3, 3.3);
  Rectangle result;
  result.height = std::clamp<int64_t>(std::llround(std::sqrt(area * aspect)), 1, height);
  result.width = std::clamp<int64_t>(std::llround(std::sqrt(area / aspect)), 1, width);
  result.top = random->Integer(0, height - result.height);
  result.left = random->Integer(0, width - result.width);
  return result;
}

Change Draw(const Augmentation& augmentation, int64_t height, int64_t width, Random random) {
  Change change;
  change.flip = random.Chance(0.5) && augmentation.flip;
  change.down = random.Integer(-augmentation.shift, augmentation.shift);
  change.right = random.Integer(-augmentation.shift, augmentation.shift);
  if (random.Chance(augmentation.erase_probability)) {
    change.erased = DrawRectangle(height, width, &random);
  }
  return change;
}

template <typename Pixel>
void CopyPixels(const Dataset& dataset, int64_t index, const Change& change, float* pixels) {
  const Shape image = dataset.ImageShape();
  const int64_t channels = image[0], height = image[1], width = image[2];
  const Pixel* const from =
      dataset.images.values<Pixel>().data() + index * channels * height * width;
  const Preprocessing& how = dataset.preprocessing;
  for (int64_t c = 0; c < channels; ++c) {
    const float scale = 1 / (how.scale * how.deviation[static_cast<size_t>(c)]);
    const float mean = how.scale * how.mean[static_cast<size_t>(c)];
    for (int64_t y = 0; y < height; ++y) {
      const int64_t from_y = y - change.down;
      for (int64_t x = 0; x < width; ++x) {
        const int64_t shifted = x - change.right;
        const int64_t from_x = change.flip ? width - 1 - shifted : shifted;
        const bool inside = from_y >= 0 && from_y < height && from_x >= 0 && from_x < width;
        float pixel = 0;
        if (inside) pixel = static_cast<float>(from[(c * height + from_y) * width + from_x]);
        if (change.erased.Contains(y, x)) pixel = mean;
        pixels[(y * width + x) * channels + c] = (pixel - mean) * scale;
      }
    }
  }
}

void Copy(const Dataset& dataset, int64_t index, const Change& change, float* pixels) {
  if (dataset.images.dtype() == DType::kU8) {
    CopyPixels<uint8_t>(dataset, index, change, pixels);
  } else {
    CopyPixels<float>(dataset, index, change, pixels);
  }
}

}  // namespace

void CopyAugmented(const Dataset& dataset, int64_t index, const Augmentation& augmentation,
                   uint64_t seed, int64_t epoch, float* pixels) {
  const Random random = Random(seed)
                            .Fork("augmentation")
                            .Fork(static_cast<uint64_t>(epoch))
                            .Fork(static_cast<uint64_t>(index));
  const Shape image = dataset.ImageShape();
  Copy(dataset, index, Draw(augmentation, image[1], image[2], random), pixels);
}

void CopyChannelsLast(const Dataset& dataset, int64_t index, float* pixels) {
  Copy(dataset, index, Change(), pixels);
}

}  // namespace fettle
