#include "fettle/training/trainer/gradient_memory.h"

#include <cassert>

namespace fettle {

std::byte* GradientMemory::Take(size_t bytes) {
  Slot* best = nullptr;
  for (Slot& slot : slots_) {
    const bool fits = slot.uses == 0 && slot.memory.num_bytes() >= bytes;
    if (fits && (best == nullptr || slot.memory.num_bytes() < best->memory.num_bytes())) {
      best = &slot;
    }
  }
  if (best == nullptr) {
    slots_.push_back({Tensor(TensorType{DType::kU8, {static_cast<int64_t>(bytes)}})});
    best = &slots_.back();
  }
  best->uses = 1;
  return best->memory.bytes();
}

void GradientMemory::Share(const std::byte* memory) { ++slots_[IndexOf(memory)].uses; }

void GradientMemory::Release(const std::byte* memory) {
  Slot& slot = slots_[IndexOf(memory)];
  assert(slot.uses > 0);
  --slot.uses;
}

bool GradientMemory::IsShared(const std::byte* memory) const {
  return slots_[IndexOf(memory)].uses > 1;
}

size_t GradientMemory::IndexOf(const std::byte* memory) const {
  size_t index = 0;
  while (slots_[index].memory.bytes() != memory) ++index;
  return index;
}

}  // namespace fettle
