#pragma once

#include <cstddef>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

// Memory for gradients that come and go in an order known beforehand: what is released is handed
// out again, so that a backward pass stays in few cache lines.
class GradientMemory {
 public:
  // Of at least so many bytes, counted as in use by one. The address holds for good.
  std::byte* Take(size_t bytes);

  void Share(const std::byte* memory);    // one more uses it
  void Release(const std::byte* memory);  // one fewer
  bool IsShared(const std::byte* memory) const;

 private:
  struct Slot {
    Tensor memory;
    int uses = 0;
  };
  size_t IndexOf(const std::byte* memory) const;

  std::vector<Slot> slots_;
};

}  // namespace fettle
