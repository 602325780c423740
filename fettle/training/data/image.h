#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace fettle {

// A picture as files have it: bytes, row by row, the channels (1 or 3) of a pixel side by side.
struct Image {
  int64_t height = 0, width = 0, channels = 0;
  std::vector<uint8_t> pixels;
};

// More pixels than any photograph has are a hostile header.
inline constexpr int64_t kMostPixels = int64_t{1} << 27;

// A JPEG or PNG file by its first bytes, decoded to so many channels (1: grey). Throws an Error
// that names the file where it is neither, damaged or too large.
Image DecodeImage(const std::string& bytes, int64_t channels, const std::string& name);

// The picture with its shorter side so long, by a triangle filter as wide as the shrinking wants
// (bilinear with antialiasing, what torchvision and PIL do); the longer side is truncated.
Image Resized(const Image& image, int64_t shorter_side);

// The square of this side in the middle; of two equally near that with the even offset, as
// torchvision's. Asserts that it fits.
Image CentreCrop(const Image& image, int64_t side);

}  // namespace fettle
