#include "fettle/network/onnx/import.h"

#include <onnx/onnx.pb.h>

#include <fstream>
#include <limits>
#include <new>
#include <system_error>

#include "fettle/core/error.h"
#include "fettle/network/onnx/model_import.h"
#include "fettle/network/onnx/names.h"

namespace fettle {
namespace {

constexpr size_t kMostNamed = 3;          // unsupported operators in a message
constexpr size_t kLongestMessage = 2000;  // a hostile file may have lists of any length

// Protocol buffers end at 2 GiB; larger models have their weights in external data.
constexpr size_t kMostBytes = std::numeric_limits<int>::max();

std::vector<std::byte> ReadFile(const std::filesystem::path& file) {
  std::error_code fault;
  if (!std::filesystem::is_regular_file(file, fault)) {
    throw BadInput(fault ? "cannot be read: " + fault.message() : "is not a file");
  }
  const uintmax_t size = std::filesystem::file_size(file, fault);
  if (fault) throw BadInput("cannot be read: ", fault.message());
  if (size > kMostBytes) throw BadInput("is larger than 2 GiB, so no ONNX model");
  std::vector<std::byte> bytes(size);
  std::ifstream stream(file, std::ios::binary);
  stream.read(reinterpret_cast<char*>(bytes.data()), static_cast<std::streamsize>(size));
  if (!stream) throw BadInput("cannot be read");
  return bytes;
}

onnx::ModelProto Parse(std::span<const std::byte> bytes) {
  onnx::ModelProto model;
  if (bytes.size() > kMostBytes ||
      !model.ParseFromArray(bytes.data(), static_cast<int>(bytes.size()))) {
    throw BadInput("is no ONNX model, or is truncated");
  }
  return model;
}

// With the file's name before every message.
template <typename Body>
auto Named(const std::string& name, const Body& body) {
  try {
    return body();
  } catch (const Error& error) {
    std::string message = Text(name, ": ", error.what());
    if (message.size() > kLongestMessage) message = message.substr(0, kLongestMessage) + "...";
    throw Error(error.kind(), message);
  } catch (const std::bad_alloc&) {
    throw BadInput(name, ": does not fit into memory");
  }
}

ImportedModel ImportFile(const std::filesystem::path& file, const ImportOptions& options) {
  return Named(file.string(), [&] {
    std::vector<std::byte> bytes = ReadFile(file);
    onnx::ModelProto model = Parse(bytes);
    bytes = {};
    const std::filesystem::path folder = file.parent_path();
    return ImportModel(&model, folder.empty() ? "." : folder, options);
  });
}

Graph RequireComplete(ImportedModel model, const std::string& name) {
  const std::vector<UnsupportedOperator>& unsupported = model.unsupported;
  if (unsupported.empty()) return std::move(model.graph);
  std::string text =
      Text(name, ": ", unsupported.size(),
           unsupported.size() == 1 ? " operator is" : " operators are", " not supported");
  for (size_t i = 0; i < unsupported.size() && i < kMostNamed; ++i) {
    text += Text(i == 0 ? ": " : "; ", "node ", Quoted(unsupported[i].node), " (",
                 unsupported[i].op_type, "): ", unsupported[i].reason);
  }
  if (unsupported.size() > kMostNamed) {
    text += Text("; and ", unsupported.size() - kMostNamed, " more, which `fettle inspect` lists");
  }
  throw BadInput(text);
}

}  // namespace

Graph ImportOnnx(const std::filesystem::path& file, const ImportOptions& options) {
  return RequireComplete(ImportFile(file, options), file.string());
}

Graph ImportOnnxBytes(std::span<const std::byte> bytes, const std::string& name,
                      const std::filesystem::path& folder, const ImportOptions& options) {
  ImportedModel imported = Named(name, [&] {
    onnx::ModelProto model = Parse(bytes);
    return ImportModel(&model, folder, options);
  });
  return RequireComplete(std::move(imported), name);
}

std::vector<UnsupportedOperator> FindUnsupported(const std::filesystem::path& file,
                                                 const ImportOptions& options) {
  return ImportFile(file, options).unsupported;
}

}  // namespace fettle
