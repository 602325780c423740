#pragma once

#include <cstddef>
#include <cstdint>

#include "fettle/core/layout.h"
#include "fettle/core/shape.h"

// Every layout as one: a tensor [N,C,...] lies in memory row-major as [batch, groups, space,
// lanes], channel c being lane c % lanes of group c / lanes.
//
//   plain           groups = C, lanes = 1
//   channels-last   groups = 1, lanes = C
//   blocked         groups = C / block rounded up, lanes = block
//
// so that a kernel written over groups and lanes serves all of them.

namespace fettle {

struct ChannelView {
  int64_t batch = 1, groups = 1, space = 1, lanes = 1;
  int64_t channels = 1;  // without padding

  int64_t elements() const { return batch * groups * space * lanes; }  // with padding
  bool is_padded() const { return groups * lanes != channels; }
  // The lanes of a group that are channels; fewer than `lanes` only in the last group.
  int64_t LanesOf(int64_t group) const {
    const int64_t rest = channels - group * lanes;
    return rest < lanes ? rest : lanes;
  }
};

// Of a tensor with two axes or more; one with exactly two is channels-last and plain alike.
ChannelView ViewOf(const Shape& shape, Layout layout);

// Writes zeros to the lanes that are no channels.
void ZeroPadding(const ChannelView& view, size_t element_bytes, std::byte* data);

// The extents in memory, outermost first: [N,C,H,W], [N,H,W,C] or [N,C/block,H,W,block].
Shape PhysicalShape(const Shape& shape, Layout layout);

// Which of them is a logical axis; for the channels of a blocked layout, the blocks.
size_t PhysicalAxis(const Shape& shape, Layout layout, size_t axis);

}  // namespace fettle
