#include "tests/training/toy_dataset.h"

#include "fettle/core/random.h"

namespace fettle {

Dataset ToyDataset(int64_t count, const Shape& image, uint64_t seed) {
  Random random(seed);
  Dataset dataset;
  dataset.name = "toy";
  dataset.images = Tensor({DType::kU8, {count, image[0], image[1], image[2]}});
  dataset.num_classes = 4;
  dataset.preprocessing.mean.assign(static_cast<size_t>(image[0]), 0.4f);
  dataset.preprocessing.deviation.assign(static_cast<size_t>(image[0]), 0.3f);
  uint8_t* pixel = dataset.images.values<uint8_t>().data();
  for (int64_t n = 0; n < count; ++n) {
    const auto label = static_cast<int32_t>(random.Below(4));
    dataset.labels.push_back(label);
    for (int64_t c = 0; c < image[0]; ++c) {
      for (int64_t y = 0; y < image[1]; ++y) {
        for (int64_t x = 0; x < image[2]; ++x) {
          const int quarter = (2 * y >= image[1] ? 2 : 0) + (2 * x >= image[2] ? 1 : 0);
          const int64_t bright = quarter == label ? 60 : 0;
          *pixel++ = static_cast<uint8_t>(random.Integer(0, 180) + bright);
        }
      }
    }
  }
  return dataset;
}

}  // namespace fettle
