#pragma once

#include <cstddef>
#include <cstdint>

#include "fettle/core/layout.h"
#include "fettle/core/tensor.h"

namespace fettle {

// Memory for a kernel to work in, aligned to 64 bytes, with a guard on both sides that shows
// whether the kernel wrote where it may not.
class KernelMemory {
 public:
  explicit KernelMemory(size_t bytes);

  std::byte* data();
  const std::byte* data() const;
  size_t size() const { return bytes_; }

  void Fill(std::byte value);
  bool IsGuardIntact() const;
  void MendGuard();

 private:
  size_t bytes_;
  Tensor memory_;
};

// The tensor's elements laid out anew, with zeros in the padding. `to` is PhysicalBytes() long.
// Asserts that the tensor can have the layout.
void Arrange(const Tensor& tensor, Layout layout, std::byte* to);

// The reverse: the elements of memory in that layout, as a tensor. The padding is not looked at.
Tensor Collect(const TensorType& type, Layout layout, const std::byte* from);

// Whether the memory is exactly the tensor in that layout, the zeros of the padding included.
bool IsArranged(const Tensor& tensor, Layout layout, const std::byte* memory);

}  // namespace fettle
