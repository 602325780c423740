#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "fettle/core/shape.h"

namespace fettle {

// A network of a few layers that holds one awkward thing: what is right for a chain of layers and
// wrong for a graph shows here.
struct SmallModel {
  std::string name;   // of the awkward thing
  std::string bytes;  // the ONNX file, opset 17
  std::vector<TensorType>
      inputs;  // to feed; "dynamic_batch" leaves its batch of 3 open in the file
  std::vector<TensorType> outputs;
};

std::vector<SmallModel> SmallModels(uint64_t seed = 1);

}  // namespace fettle
