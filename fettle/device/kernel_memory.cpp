#include "fettle/device/kernel_memory.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <type_traits>
#include <vector>

namespace fettle {
namespace {

constexpr size_t kGuard = 256;
constexpr std::byte kGuardByte{0xa5};

TensorType BytesType(size_t bytes) { return {DType::kU8, {static_cast<int64_t>(bytes)}}; }

// For each image and channel: visit(where its elements begin row-major, where in the layout, the
// step between them there). Row-major they are neighbours, `length` of them.
template <typename Visit>
void VisitChannels(const Shape& shape, Layout layout, size_t length, const Visit& visit) {
  const auto step =
      static_cast<size_t>(layout == Layout::kChannelsLast ? shape[1] : BlockOf(layout));
  Shape indices(shape.size(), 0);
  size_t plain = 0;
  for (indices[0] = 0; indices[0] < shape[0]; ++indices[0]) {
    for (indices[1] = 0; indices[1] < shape[1]; ++indices[1], plain += length) {
      visit(plain, static_cast<size_t>(PhysicalOffset(shape, layout, indices)), step);
    }
  }
}

// Calls work(T()) with the unsigned integer that is as wide as the type's elements.
template <typename Work>
void WithElement(DType dtype, const Work& work) {
  switch (SizeOf(dtype)) {
    case 1:
      return work(uint8_t());
    case 2:
      return work(uint16_t());
    case 4:
      return work(uint32_t());
    default:
      assert(SizeOf(dtype) == 8);
      return work(uint64_t());
  }
}

size_t ChannelLength(const Shape& shape) {
  size_t length = 1;
  for (size_t axis = 2; axis < shape.size(); ++axis) length *= static_cast<size_t>(shape[axis]);
  return length;
}

}  // namespace

KernelMemory::KernelMemory(size_t bytes) : bytes_(bytes), memory_(BytesType(bytes + 2 * kGuard)) {
  MendGuard();
}

std::byte* KernelMemory::data() { return memory_.bytes() + kGuard; }
const std::byte* KernelMemory::data() const { return memory_.bytes() + kGuard; }

void KernelMemory::Fill(std::byte value) { std::fill_n(data(), bytes_, value); }

void KernelMemory::MendGuard() {
  std::fill_n(memory_.bytes(), kGuard, kGuardByte);
  std::fill_n(data() + bytes_, kGuard, kGuardByte);
}

bool KernelMemory::IsGuardIntact() const {
  const auto is_whole = [](const std::byte* guard) {
    return std::all_of(guard, guard + kGuard, [](std::byte b) { return b == kGuardByte; });
  };
  return is_whole(memory_.bytes()) && is_whole(data() + bytes_);
}

void Arrange(const Tensor& tensor, Layout layout, std::byte* to) {
  assert(CanHave(tensor.shape(), layout));
  if (tensor.num_bytes() == 0) return;
  if (layout == Layout::kPlain) {
    std::memcpy(to, tensor.bytes(), tensor.num_bytes());
    return;
  }
  std::memset(to, 0, static_cast<size_t>(PhysicalBytes(tensor.type(), layout)));
  const size_t length = ChannelLength(tensor.shape());
  WithElement(tensor.dtype(), [&](auto element) {
    using T = decltype(element);
    const auto* source = reinterpret_cast<const T*>(tensor.bytes());
    auto* target = reinterpret_cast<T*>(to);
    VisitChannels(tensor.shape(), layout, length, [&](size_t plain, size_t physical, size_t step) {
      for (size_t i = 0; i < length; ++i) target[physical + i * step] = source[plain + i];
    });
  });
}

Tensor Collect(const TensorType& type, Layout layout, const std::byte* from) {
  assert(CanHave(type.shape, layout));
  Tensor tensor(type);
  if (tensor.num_bytes() == 0) return tensor;
  if (layout == Layout::kPlain) {
    std::memcpy(tensor.bytes(), from, tensor.num_bytes());
    return tensor;
  }
  const size_t length = ChannelLength(type.shape);
  WithElement(type.dtype, [&](auto element) {
    using T = decltype(element);
    const auto* source = reinterpret_cast<const T*>(from);
    auto* target = reinterpret_cast<T*>(tensor.bytes());
    VisitChannels(type.shape, layout, length, [&](size_t plain, size_t physical, size_t step) {
      for (size_t i = 0; i < length; ++i) target[plain + i] = source[physical + i * step];
    });
  });
  return tensor;
}

bool IsArranged(const Tensor& tensor, Layout layout, const std::byte* memory) {
  const auto bytes = static_cast<size_t>(PhysicalBytes(tensor.type(), layout));
  if (bytes == 0) return true;
  std::vector<std::byte> arranged(bytes);
  Arrange(tensor, layout, arranged.data());
  return std::memcmp(arranged.data(), memory, bytes) == 0;
}

}  // namespace fettle
