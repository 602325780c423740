#include "fettle/training/data/image.h"

#include <algorithm>
#include <cassert>
#include <cmath>

#include "fettle/core/error.h"
#include "fettle/training/data/libjpeg_image.h"
#include "fettle/training/data/libpng_image.h"

namespace fettle {
namespace {

// One axis of a resizing: the first source index of each target's, and the weights from there on.
struct Filter {
  struct Tap {
    int64_t first = 0;
    std::vector<float> weights;
  };
  std::vector<Tap> taps;
};

Filter TriangleFilter(int64_t from, int64_t to) {
  const double scale = static_cast<double>(from) / static_cast<double>(to);
  const double support = std::max(1.0, scale);
  Filter filter;
  for (int64_t i = 0; i < to; ++i) {
    const double centre = (static_cast<double>(i) + 0.5) * scale;
    const auto first = std::max<int64_t>(0, std::llround(centre - support));
    const auto last = std::min<int64_t>(from, std::llround(centre + support));
    Filter::Tap tap{first, {}};
    double sum = 0;
    for (int64_t k = first; k < last; ++k) {
      const double distance = std::abs((static_cast<double>(k) + 0.5 - centre) / support);
      const double weight = std::max(0.0, 1 - distance);
      tap.weights.push_back(static_cast<float>(weight));
      sum += weight;
    }
    for (float& weight : tap.weights) weight /= static_cast<float>(sum);
    filter.taps.push_back(std::move(tap));
  }
  return filter;
}

// Along the rows; the result is transposed, so that twice makes both axes. A large image is small
// after the first time, and never held as floats.
template <typename Pixel>
std::vector<float> ResizedRows(const std::vector<Pixel>& pixels, int64_t height, int64_t width,
                               int64_t channels, int64_t to) {
  const Filter filter = TriangleFilter(width, to);
  std::vector<float> result(static_cast<size_t>(height * to * channels));
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < to; ++x) {
      const Filter::Tap& tap = filter.taps[static_cast<size_t>(x)];
      for (int64_t c = 0; c < channels; ++c) {
        float sum = 0;
        for (size_t k = 0; k < tap.weights.size(); ++k) {
          const int64_t from = y * width + tap.first + static_cast<int64_t>(k);
          sum +=
              tap.weights[k] * static_cast<float>(pixels[static_cast<size_t>(from * channels + c)]);
        }
        result[static_cast<size_t>((x * height + y) * channels + c)] = sum;
      }
    }
  }
  return result;
}

// Half, to the even one of two equally near, as Python's round does and so torchvision's crop.
int64_t RoundedHalf(int64_t length) {
  const int64_t half = length / 2;
  return length % 2 != 0 && half % 2 != 0 ? half + 1 : half;
}

}  // namespace

Image DecodeImage(const std::string& bytes, int64_t channels, const std::string& name) {
  if (bytes.starts_with("\xff\xd8")) return DecodeJpeg(bytes, channels, name);
  if (bytes.starts_with("\x89PNG")) return DecodePng(bytes, channels, name);
  throw BadInput(name, ": neither JPEG nor PNG; convert it or take it out of the dataset");
}

Image Resized(const Image& image, int64_t shorter_side) {
  const int64_t shorter = std::min(image.height, image.width);
  if (shorter == shorter_side) return image;
  const int64_t longer = std::max(image.height, image.width) * shorter_side / shorter;
  Image result;
  result.height = image.height <= image.width ? shorter_side : longer;
  result.width = image.height <= image.width ? longer : shorter_side;
  result.channels = image.channels;
  const std::vector<float> rows =
      ResizedRows(image.pixels, image.height, image.width, image.channels, result.width);
  for (const float pixel :
       ResizedRows(rows, result.width, image.height, image.channels, result.height)) {
    result.pixels.push_back(static_cast<uint8_t>(std::clamp(pixel + 0.5f, 0.0f, 255.0f)));
  }
  return result;
}

Image CentreCrop(const Image& image, int64_t side) {
  assert(side <= image.height && side <= image.width);
  const int64_t top = RoundedHalf(image.height - side), left = RoundedHalf(image.width - side);
  Image result{side, side, image.channels, {}};
  result.pixels.resize(static_cast<size_t>(side * side * image.channels));
  for (int64_t y = 0; y < side; ++y) {
    const int64_t from = ((top + y) * image.width + left) * image.channels;
    std::copy_n(image.pixels.begin() + from, side * image.channels,
                result.pixels.begin() + y * side * image.channels);
  }
  return result;
}

}  // namespace fettle
