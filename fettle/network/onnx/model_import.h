#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "fettle/network/onnx/import.h"

namespace onnx {
class ModelProto;
}

namespace fettle {

struct ImportedModel {
  Graph graph;  // complete only where nothing is unsupported
  std::vector<UnsupportedOperator> unsupported;
};

// The model's tensors are taken out of the message as they are read. Throws an Error that does not
// name the file.
ImportedModel ImportModel(onnx::ModelProto* model, const std::filesystem::path& folder,
                          const ImportOptions& options);

}  // namespace fettle
