#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

// The state of a training, as a file (docs/training.md has the format).
struct Checkpoint {
  std::string description;  // of the training it belongs to
  int64_t step = 0;
  double epoch_loss = 0;
  std::vector<Tensor> tensors;  // f32
};

// Both throw an Error that names the file. A file appears whole or not at all.
void WriteCheckpoint(const std::string& path, const Checkpoint& checkpoint);
Checkpoint ReadCheckpoint(const std::string& path);

}  // namespace fettle
