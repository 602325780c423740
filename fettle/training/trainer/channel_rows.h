#pragma once

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

namespace fettle {

// Channels-last memory seen as rows of several pixels each, so that loops over few channels are as
// long as loops over many: what belongs to a channel is repeated for each pixel of a row.
struct ChannelRows {
  ChannelRows(int64_t pixel_count, int64_t channel_count)
      : pixels(pixel_count),
        channels(channel_count),
        repeats(std::clamp<int64_t>(kLanes / channel_count, 1, std::max<int64_t>(pixel_count, 1))),
        width(repeats * channel_count) {}

  int64_t NumElements() const { return pixels * channels; }

  // One value a channel, for each lane of a row.
  template <typename T>
  std::vector<float> Repeated(std::span<const T> of_channel) const {
    std::vector<float> lanes(static_cast<size_t>(width));
    for (size_t i = 0; i < lanes.size(); ++i) {
      lanes[i] = static_cast<float>(of_channel[i % static_cast<size_t>(channels)]);
    }
    return lanes;
  }

  static constexpr int64_t kLanes = 512;
  int64_t pixels, channels, repeats, width;
};

}  // namespace fettle
