#include "fettle/training/data/libpng_image.h"

#include <png.h>

#include <cstring>

#include "fettle/core/error.h"

namespace fettle {

Image DecodePng(const std::string& bytes, int64_t channels, const std::string& name) {
  png_image png;
  std::memset(&png, 0, sizeof(png));
  png.version = PNG_IMAGE_VERSION;
  const auto fail = [&](const std::string& why) {
    png_image_free(&png);
    throw BadInput(name, ": damaged PNG (", why, "); replace it or take it out of the dataset");
  };
  if (png_image_begin_read_from_memory(&png, bytes.data(), bytes.size()) == 0) fail(png.message);
  if (static_cast<int64_t>(png.width) * static_cast<int64_t>(png.height) > kMostPixels) {
    fail(Text(png.width, " x ", png.height, " pixels are too many"));
  }
  png.format = channels == 1 ? PNG_FORMAT_GRAY : PNG_FORMAT_RGB;
  Image image{static_cast<int64_t>(png.height), static_cast<int64_t>(png.width), channels, {}};
  image.pixels.resize(static_cast<size_t>(image.height * image.width * channels));
  png_color black = {0, 0, 0};
  if (png_image_finish_read(&png, &black, image.pixels.data(), 0, nullptr) == 0) fail(png.message);
  return image;
}

}  // namespace fettle
