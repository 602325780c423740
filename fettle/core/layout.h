#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "fettle/core/shape.h"

namespace fettle {

// The order in which a tensor's elements lie in memory. The names are persisted: never change one.
// A layout other than plain needs a channel axis (axis 1) and at least one axis behind it.
enum class Layout : uint8_t {
  kPlain,         // row-major: NCHW
  kChannelsLast,  // channels innermost: NHWC
  kBlocked8,      // N, C/8, H, W, 8; channels padded up to a multiple of 8 with zeros
  kBlocked16,     // N, C/16, H, W, 16; likewise
};

std::string_view NameOf(Layout layout);
std::optional<Layout> ParseLayout(std::string_view name);

bool CanHave(const Shape& shape, Layout layout);

// The channels of a block: 8 or 16, and 1 for the layouts that have none.
int64_t BlockOf(Layout layout);

// Bytes in memory, with the padding of the channels. Asserts CanHave.
int64_t PhysicalBytes(const TensorType& type, Layout layout);

// Where in memory (in elements) the element with these indices lies. Asserts CanHave.
int64_t PhysicalOffset(const Shape& shape, Layout layout, const Shape& indices);

}  // namespace fettle
