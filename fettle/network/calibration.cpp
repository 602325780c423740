#include "fettle/network/calibration.h"

namespace fettle {

Moments OfChannels(const Moments& moments, std::span<const int64_t> channels, size_t per_channel) {
  std::vector<size_t> entries;
  entries.reserve(channels.size() * per_channel);
  for (const int64_t channel : channels) {
    for (size_t i = 0; i < per_channel; ++i) {
      entries.push_back(static_cast<size_t>(channel) * per_channel + i);
    }
  }
  Moments taken;
  taken.samples = moments.samples;
  taken.mean.reserve(entries.size());
  for (const size_t entry : entries) taken.mean.push_back(moments.mean[entry]);
  if (moments.covariance.empty()) return taken;
  taken.covariance.reserve(entries.size() * entries.size());
  for (const size_t row : entries) {
    for (const size_t column : entries) {
      taken.covariance.push_back(moments.covariance[row * moments.size() + column]);
    }
  }
  return taken;
}

}  // namespace fettle
