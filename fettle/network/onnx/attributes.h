#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "fettle/network/onnx/tensor_proto.h"

namespace onnx {
class AttributeProto;
class NodeProto;
}  // namespace onnx

namespace fettle {

// The attributes of one ONNX node, which must outlive it. Asking for one that the node has with
// another type throws an Error. It remembers which were asked for: what an importer did not ask for
// it did not understand, and must not silently leave out.
class Attributes {
 public:
  explicit Attributes(const onnx::NodeProto& node);

  bool Has(std::string_view name) const { return Find(name) != nullptr; }
  int64_t Int(std::string_view name, int64_t otherwise) const;
  float Float(std::string_view name, float otherwise) const;  // never NaN
  std::string String(std::string_view name, std::string_view otherwise) const;
  std::optional<std::vector<int64_t>> Ints(std::string_view name) const;
  std::optional<std::vector<float>> Floats(std::string_view name) const;
  std::optional<Tensor> Values(std::string_view name, const TensorSource& source) const;

  // Says that an attribute does not matter.
  void Ignore(std::string_view name) const { Find(name); }
  // The first by name that nobody asked for, or nothing.
  std::optional<std::string> Unasked() const;

 private:
  const onnx::AttributeProto* Find(std::string_view name) const;
  const onnx::AttributeProto* FindOfType(std::string_view name, int type) const;

  std::unordered_map<std::string_view, const onnx::AttributeProto*> attributes_;
  mutable std::unordered_set<std::string_view> asked_;
};

}  // namespace fettle
