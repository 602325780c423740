#include "fettle/primitives/channel_view.h"

#include <cassert>
#include <cstring>

#include "fettle/primitives/layer_view.h"

namespace fettle {

ChannelView ViewOf(const Shape& shape, Layout layout) {
  assert(shape.size() >= 2 && CanHave(shape, layout));
  ChannelView view;
  view.batch = shape[0];
  view.channels = shape[1];
  view.space = Volume(shape, 2, shape.size());
  const int64_t block = BlockOf(layout);
  if (block > 1) {
    view.lanes = block;
  } else if (layout == Layout::kChannelsLast || shape.size() == 2) {
    view.lanes = view.channels;
  }
  // Without channels there is nothing, whatever the layout.
  view.groups = view.lanes == 0 ? 0 : (view.channels + view.lanes - 1) / view.lanes;
  return view;
}

void ZeroPadding(const ChannelView& view, size_t element_bytes, std::byte* data) {
  if (!view.is_padded()) return;
  const auto used = static_cast<size_t>(view.LanesOf(view.groups - 1)) * element_bytes;
  const auto row = static_cast<size_t>(view.lanes) * element_bytes;
  for (int64_t n = 0; n < view.batch; ++n) {
    const int64_t group = (n + 1) * view.groups - 1;
    std::byte* at = data + static_cast<size_t>(group * view.space) * row;
    for (int64_t i = 0; i < view.space; ++i, at += row) std::memset(at + used, 0, row - used);
  }
}

Shape PhysicalShape(const Shape& shape, Layout layout) {
  if (layout == Layout::kPlain) return shape;
  const int64_t block = BlockOf(layout);
  Shape physical = {shape[0]};
  if (block > 1) physical.push_back((shape[1] + block - 1) / block);
  physical.insert(physical.end(), shape.begin() + 2, shape.end());
  physical.push_back(block > 1 ? block : shape[1]);
  return physical;
}

size_t PhysicalAxis(const Shape& shape, Layout layout, size_t axis) {
  if (layout != Layout::kChannelsLast || axis == 0) return axis;
  return axis == 1 ? shape.size() - 1 : axis - 1;
}

}  // namespace fettle
