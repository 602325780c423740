#include "fettle/core/layout.h"

#include <cassert>
#include <iterator>

namespace fettle {
namespace {

struct Row {
  Layout layout;
  std::string_view name;
  int64_t block;
};

constexpr Row kRows[] = {
    {Layout::kPlain, "plain", 1},
    {Layout::kChannelsLast, "channels_last", 1},
    {Layout::kBlocked8, "blocked8", 8},
    {Layout::kBlocked16, "blocked16", 16},
};

const Row& RowOf(Layout layout) {
  const auto index = static_cast<size_t>(layout);
  assert(index < std::size(kRows) && kRows[index].layout == layout);
  return kRows[index];
}

// The indices of the axes behind the channels as one number.
int64_t SpatialIndex(const Shape& shape, const Shape& indices) {
  int64_t index = 0;
  for (size_t axis = 2; axis < shape.size(); ++axis) index = index * shape[axis] + indices[axis];
  return index;
}

int64_t SpatialSize(const Shape& shape) {
  int64_t size = 1;
  for (size_t axis = 2; axis < shape.size(); ++axis) size *= shape[axis];
  return size;
}

}  // namespace

std::string_view NameOf(Layout layout) { return RowOf(layout).name; }

std::optional<Layout> ParseLayout(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.layout;
  }
  return std::nullopt;
}

int64_t BlockOf(Layout layout) { return RowOf(layout).block; }

bool CanHave(const Shape& shape, Layout layout) {
  return layout == Layout::kPlain || shape.size() >= 3;
}

int64_t PhysicalBytes(const TensorType& type, Layout layout) {
  assert(CanHave(type.shape, layout));
  const int64_t block = BlockOf(layout);
  if (block == 1) return ByteSize(type);
  TensorType padded = type;
  padded.shape[1] = (type.shape[1] + block - 1) / block * block;
  return ByteSize(padded);
}

int64_t PhysicalOffset(const Shape& shape, Layout layout, const Shape& indices) {
  assert(CanHave(shape, layout) && indices.size() == shape.size());
  if (layout == Layout::kPlain) {
    int64_t offset = 0;
    for (size_t axis = 0; axis < shape.size(); ++axis)
      offset = offset * shape[axis] + indices[axis];
    return offset;
  }
  const int64_t size = SpatialSize(shape);
  const int64_t place = SpatialIndex(shape, indices);
  if (layout == Layout::kChannelsLast) {
    return (indices[0] * size + place) * shape[1] + indices[1];
  }
  const int64_t block = BlockOf(layout);
  const int64_t blocks = (shape[1] + block - 1) / block;
  const int64_t outer = indices[0] * blocks + indices[1] / block;
  return (outer * size + place) * block + indices[1] % block;
}

}  // namespace fettle
