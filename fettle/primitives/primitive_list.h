#pragma once

#include <memory>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "fettle/primitives/primitive.h"

namespace fettle {

// All primitives, the reference ones included.
class PrimitiveList {
 public:
  // Everything linked into this binary, in a fixed order.
  static PrimitiveList All();

  // A list of one's own; the first is its reference.
  explicit PrimitiveList(std::vector<std::unique_ptr<Primitive>> primitives)
      : primitives_(std::move(primitives)) {}

  std::span<const std::unique_ptr<Primitive>> primitives() const { return primitives_; }

  // The primitive that an implementation's name ("onednn.conv:jit:avx2") belongs to, or null.
  const Primitive* Find(std::string_view implementation_name) const;

  // The slow primitive that computes every spec of f32 and bf16 in plain layout, and against which
  // the others are validated.
  const Primitive& reference() const { return *primitives_.front(); }

 private:
  std::vector<std::unique_ptr<Primitive>> primitives_;
};

}  // namespace fettle
