#pragma once

#include <string>
#include <unordered_set>

#include "fettle/network/onnx/import.h"

namespace onnx {
class GraphProto;
class TypeProto;
class ValueInfoProto;
}  // namespace onnx

namespace fettle {

// Gives the model's inputs their sizes: those of the file, and for what it leaves open those of the
// options. Both must outlive it.
class InputShapes {
 public:
  InputShapes(const onnx::GraphProto& graph, const ImportOptions& options);

  // Throws an Error for an input that is no tensor, or an axis without a size.
  TensorType TypeOf(const onnx::ValueInfoProto& input) const;

 private:
  int64_t OpenExtent(const std::string& input, size_t axis, const std::string& symbol) const;

  const ImportOptions& options_;
  std::unordered_set<std::string> batch_symbols_;
};

// What a file declares of a value in words, open axes as "?": "f32[?x10]".
std::string DeclaredText(const onnx::TypeProto& declared, bool widen_halves);
// Whether a value may be of this type as far as the file says anything about it.
bool Allows(const onnx::TypeProto& declared, const TensorType& type, bool widen_halves);

}  // namespace fettle
