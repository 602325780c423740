#pragma once

#include <cstdint>
#include <optional>

#include "fettle/core/op.h"

namespace fettle {

// What is fused behind an operator whose kernel leaves it to us, on f32 in place:
//
//   y = activation(y + bias)
//
// A residual the kernel adds itself, by starting from it. Uses the threads in force (threads.h).
class Epilogue {
 public:
  explicit Epilogue(std::optional<Activation> activation) : activation_(activation) {}

  // y [rows, columns] and a bias for each row (channels first), or none where it is null.
  void ApplyToRows(float* y, int64_t rows, int64_t columns, const float* bias) const;

  // The same with a bias for each column (channels last).
  void ApplyToColumns(float* y, int64_t rows, int64_t columns, const float* bias) const;

 private:
  std::optional<Activation> activation_;
};

}  // namespace fettle
