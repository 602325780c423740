#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "fettle/network/graph.h"

// Reading ONNX (docs/onnx.md): opsets 7 to 26, everything that ONNX leaves open resolved, every
// size known. What is computed from constants alone (the chains of Shape, Gather, Concat that
// exporters leave behind) is computed here and leaves no nodes; nodes that no output depends on are
// left out. The file is not trusted: whatever is wrong with it is an Error of kind kBadInput that
// names the file and the place, and nothing is allocated that the file's size does not justify.

namespace fettle {

struct ImportOptions {
  // The extent of an input's leading axis where the file leaves it open, and of every other axis
  // with the same symbolic name. At least 1.
  int64_t batch = 1;

  // The extents of other open axes, by their symbolic name ("height") or by their place ("x[2]").
  std::map<std::string, int64_t> dims = {};

  // Inputs to be constants of these values, by name; they are no longer inputs of the graph.
  std::map<std::string, Tensor> constants = {};

  // Whether tensors of f16 and bf16 become f32 throughout, inputs and outputs too: which precision
  // a layer computes in is the search's to decide, not the file's.
  bool widen_halves = true;
};

// Throws an Error where the file cannot be read, is damaged, or has operators that are not
// supported (the first few are named; FindUnsupported lists all).
Graph ImportOnnx(const std::filesystem::path& file, const ImportOptions& options = {});

// `name` stands for the file in messages. Weights in external data are looked for in `folder`; an
// empty one means that there may be none.
Graph ImportOnnxBytes(std::span<const std::byte> bytes, const std::string& name,
                      const std::filesystem::path& folder = {}, const ImportOptions& options = {});

// A node that cannot be imported, and why: "Einsum is not an operator Fettle knows".
struct UnsupportedOperator {
  std::string node, op_type, domain, reason;

  friend bool operator==(const UnsupportedOperator&, const UnsupportedOperator&) = default;
};

// All of them, in the file's order; empty where ImportOnnx would succeed. Throws an Error where the
// file is damaged.
std::vector<UnsupportedOperator> FindUnsupported(const std::filesystem::path& file,
                                                 const ImportOptions& options = {});

}  // namespace fettle
