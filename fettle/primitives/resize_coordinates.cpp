#include "fettle/primitives/resize_coordinates.h"

#include <algorithm>
#include <cmath>

namespace fettle {
namespace {

float SourceCoordinate(ResizeCoordinates coordinates, float scale, int64_t input, int64_t output,
                       int64_t index) {
  const auto at = static_cast<float>(index);
  switch (coordinates) {
    case ResizeCoordinates::kHalfPixel:
      return (at + 0.5f) / scale - 0.5f;
    case ResizeCoordinates::kPytorchHalfPixel:
      return output > 1 ? (at + 0.5f) / scale - 0.5f : 0.0f;
    case ResizeCoordinates::kAlignCorners:
      return output > 1 ? at * static_cast<float>(input - 1) / static_cast<float>(output - 1)
                        : 0.0f;
    case ResizeCoordinates::kAsymmetric:
      return at / scale;
  }
  return 0;
}

float Rounded(NearestRounding rounding, float coordinate) {
  switch (rounding) {
    case NearestRounding::kRoundPreferFloor:
      return std::ceil(coordinate - 0.5f);
    case NearestRounding::kRoundPreferCeil:
      return std::floor(coordinate + 0.5f);
    case NearestRounding::kFloor:
      return std::floor(coordinate);
    case NearestRounding::kCeil:
      return std::ceil(coordinate);
  }
  return 0;
}

int64_t Within(float coordinate, int64_t input) {
  return static_cast<int64_t>(std::clamp(coordinate, 0.0f, static_cast<float>(input - 1)));
}

}  // namespace

std::vector<ResizeTap> ResizeTaps(const Resize& op, size_t axis, int64_t input) {
  std::vector<ResizeTap> taps(static_cast<size_t>(op.sizes[axis]));
  for (size_t i = 0; i < taps.size(); ++i) {
    const float source = SourceCoordinate(op.coordinates, op.scales[axis], input, op.sizes[axis],
                                          static_cast<int64_t>(i));
    if (op.mode == ResizeMode::kNearest) {
      taps[i].low = taps[i].high = Within(Rounded(op.rounding, source), input);
    } else {
      const float low = std::floor(source);
      taps[i] = {Within(low, input), Within(low + 1, input), source - low};
    }
  }
  return taps;
}

}  // namespace fettle
