#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fettle/network/onnx/import.h"

// The models with recorded inputs and outputs that Debian's libonnx-testdata installs, one folder a
// case: model.onnx, test_data_set_N/input_I.pb and output_I.pb.

namespace fettle {

struct OnnxTestCase {
  std::string group;              // "node", "simple", "pytorch-operator", "pytorch-converted"
  std::string name;               // "test_relu"
  std::filesystem::path folder;   // with model.onnx
  std::vector<std::string> sets;  // "test_data_set_0", ...
};

// In a fixed order. Empty where the package is not installed.
std::vector<OnnxTestCase> OnnxTestCases();

// A case ready to be run, or why it cannot be.
struct LoadedOnnxTestCase {
  std::optional<Graph> graph;
  std::string reason;           // where there is no graph
  std::vector<Tensor> inputs;   // of the graph, in its order
  std::vector<Tensor> outputs;  // as recorded
};

// Imports the case, with f16 and bf16 as they are, and reads a set's tensors. Where the model asks
// for sizes at run time that Fettle wants to know at import (Reshape's shape, Clip's limits), all
// inputs but the first are fixed to the recorded values; where that is not enough, all are, and the
// graph only has constants.
LoadedOnnxTestCase LoadOnnxTestCase(const OnnxTestCase& test, const std::string& set);

// The tensor of an input_I.pb or output_I.pb; nothing where it is no tensor of a type that Fettle
// has (a sequence, strings, uint64).
std::optional<Tensor> ReadOnnxTensor(const std::filesystem::path& file);

}  // namespace fettle
