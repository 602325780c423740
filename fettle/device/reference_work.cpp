#include "fettle/device/reference_work.h"

#include <cstddef>

namespace fettle {
namespace {

constexpr size_t kValues = 2048;  // 8 KiB
constexpr int kPasses = 64;

}  // namespace

ReferenceWork::ReferenceWork() : values_(kValues) {
  for (size_t i = 0; i < kValues; ++i) values_[i] = static_cast<float>(i);
}

void ReferenceWork::Run() {
  // Every value tends to 2: never to zero, where denormal numbers would change the pace.
  float* const values = values_.data();
  for (int pass = 0; pass < kPasses; ++pass) {
    for (size_t i = 0; i < kValues; ++i) values[i] = values[i] * 0.5f + 1.0f;
  }
}

}  // namespace fettle
