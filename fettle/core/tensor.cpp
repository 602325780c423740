#include "fettle/core/tensor.h"

#include <cstring>
#include <new>
#include <utility>

#include "fettle/core/huge_pages.h"

namespace fettle {
namespace {

// A cache line, and the widest vector register.
constexpr std::align_val_t kAlignment{64};

}  // namespace

void Tensor::Free::operator()(std::byte* data) const { ::operator delete[](data, kAlignment); }

Tensor::Tensor(TensorType type)
    : type_(std::move(type)),
      data_(static_cast<std::byte*>(::operator new[](num_bytes(), kAlignment))) {
  AdviseHugePages(data_.get(), num_bytes());
  if (num_bytes() > 0) std::memset(data_.get(), 0, num_bytes());
}

Tensor::Tensor(const Tensor& other) : Tensor(other.type_) {
  if (num_bytes() > 0) std::memcpy(data_.get(), other.data_.get(), num_bytes());
}

Tensor& Tensor::operator=(const Tensor& other) {
  if (this != &other) *this = Tensor(other);
  return *this;
}

Tensor Tensor::Reshaped(Shape shape) && {
  assert(ElementCount(shape) == num_elements());
  type_.shape = std::move(shape);
  return std::move(*this);
}

bool operator==(const Tensor& a, const Tensor& b) {
  return a.type_ == b.type_ &&
         (a.num_bytes() == 0 || std::memcmp(a.bytes(), b.bytes(), a.num_bytes()) == 0);
}

}  // namespace fettle
