#pragma once

#include <filesystem>
#include <string>

#include "fettle/network/graph.h"

// Writing ONNX (docs/onnx.md): standard operators only, of opset 17, or of 18 or 19 where the graph
// needs what these added. Importing the file gives the same graph back: names, operators, constants
// and metadata; except that constants nothing reads are not written.

namespace fettle {

struct ExportOptions {
  // Where not empty, the leading axis of every input and output is left open under this name ("N").
  // An Error where the network only works at the batch it was imported with.
  std::string dynamic_batch;
};

// Throws an Error where the graph has no ONNX form: operators of lowered layers, a Resize whose
// sizes and scales contradict each other, more than 2 GiB of weights.
std::string ExportOnnxBytes(const Graph& graph, const ExportOptions& options = {});

// Writes beside the file and renames, so that there is never half a file.
void ExportOnnx(const Graph& graph, const std::filesystem::path& file,
                const ExportOptions& options = {});

}  // namespace fettle
