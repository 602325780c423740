#include "tests/support/onnx_testdata.h"

#include <onnx/onnx.pb.h>

#include <algorithm>
#include <fstream>

#include "fettle/core/error.h"
#include "fettle/network/onnx/tensor_proto.h"

namespace fettle {
namespace {

namespace fs = std::filesystem;

constexpr const char* kRoot = "/usr/share/libonnx-testdata/data";

std::vector<fs::path> FoldersIn(const fs::path& folder) {
  std::vector<fs::path> folders;
  std::error_code fault;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder, fault)) {
    if (entry.is_directory()) folders.push_back(entry.path());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// The recorded tensors in order; nothing where one is not of a type that Fettle has.
std::optional<std::vector<Tensor>> ReadAll(const fs::path& set, const std::string& kind) {
  std::vector<Tensor> tensors;
  while (true) {
    const fs::path file = set / (kind + "_" + std::to_string(tensors.size()) + ".pb");
    if (!fs::exists(file)) return tensors;
    std::optional<Tensor> tensor = ReadOnnxTensor(file);
    if (!tensor) return std::nullopt;
    tensors.push_back(std::move(*tensor));
  }
}

std::vector<std::string> InputNames(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  onnx::ModelProto model;
  std::vector<std::string> names;
  if (!model.ParseFromIstream(&stream)) return names;
  std::vector<std::string> initializers;
  for (const auto& tensor : model.graph().initializer()) initializers.push_back(tensor.name());
  for (const auto& input : model.graph().input()) {
    const bool is_given = std::count(initializers.begin(), initializers.end(), input.name()) > 0;
    if (!is_given) names.push_back(input.name());
  }
  return names;
}

}  // namespace

std::vector<OnnxTestCase> OnnxTestCases() {
  std::vector<OnnxTestCase> cases;
  for (const char* group : {"node", "simple", "pytorch-operator", "pytorch-converted"}) {
    for (const fs::path& folder : FoldersIn(fs::path(kRoot) / group)) {
      OnnxTestCase test{group, folder.filename().string(), folder, {}};
      for (const fs::path& set : FoldersIn(folder)) test.sets.push_back(set.filename().string());
      cases.push_back(std::move(test));
    }
  }
  return cases;
}

LoadedOnnxTestCase LoadOnnxTestCase(const OnnxTestCase& test, const std::string& set) {
  LoadedOnnxTestCase loaded;
  const std::vector<std::string> names = InputNames(test.folder / "model.onnx");
  std::optional<std::vector<Tensor>> inputs = ReadAll(test.folder / set, "input");
  std::optional<std::vector<Tensor>> outputs = ReadAll(test.folder / set, "output");
  if (!inputs || !outputs || inputs->size() != names.size()) {
    loaded.reason = "recorded values that are no tensors of Fettle's types";
    return loaded;
  }
  loaded.outputs = std::move(*outputs);
  // The first so many inputs stay inputs.
  for (const size_t open : {names.size(), std::min<size_t>(1, names.size()), size_t{0}}) {
    ImportOptions options;
    options.widen_halves = false;
    for (size_t i = open; i < names.size(); ++i) options.constants.emplace(names[i], (*inputs)[i]);
    try {
      loaded.graph = ImportOnnx(test.folder / "model.onnx", options);
      inputs->resize(open);
      loaded.inputs = std::move(*inputs);
      loaded.reason.clear();
      return loaded;
    } catch (const Error& error) {
      if (loaded.reason.empty()) loaded.reason = error.what();
    }
  }
  return loaded;
}

std::optional<Tensor> ReadOnnxTensor(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  onnx::TensorProto proto;
  if (!proto.ParseFromIstream(&stream)) return std::nullopt;
  try {
    return DecodeTensor(proto, {});
  } catch (const Error&) {
    return std::nullopt;
  }
}

}  // namespace fettle
