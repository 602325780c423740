#pragma once

#include <cstdint>
#include <optional>

#include "fettle/core/op.h"
#include "fettle/core/target.h"

namespace fettle {

// What a library's product leaves undone, as a pass over its f32 result, in place:
//
//   y = activation(y + bias)
//
// A residual is no part of it: the product is added to it in the first place.
class EpiloguePass {
 public:
  EpiloguePass(const Target& target, const std::optional<Activation>& activation)
      : target_(target), activation_(activation) {}

  // y [rows, columns] and a bias for each row (channels first), or none where it is null.
  void ApplyToRows(float* y, int64_t rows, int64_t columns, const float* bias) const;

  // The same with a bias for each column (channels last).
  void ApplyToColumns(float* y, int64_t rows, int64_t columns, const float* bias) const;

 private:
  Target target_;
  std::optional<Activation> activation_;
};

}  // namespace fettle
