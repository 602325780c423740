#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "fettle/core/tensor.h"

namespace fettle {

// An extent that is known, or the name of one that is not ("N").
using OnnxExtent = std::variant<int64_t, std::string>;
using OnnxShape = std::vector<OnnxExtent>;

using OnnxAttributeValue =
    std::variant<int64_t, float, std::string, std::vector<int64_t>, std::vector<float>, Tensor>;
using OnnxAttributes = std::vector<std::pair<std::string, OnnxAttributeValue>>;

OnnxShape ToOnnxShape(const Shape& shape);

// Writes an ONNX file piece by piece, in the order of the calls. It writes what it is told, valid
// or not: for the tests of readers. Values are known by their names; an empty name is an optional
// input or output left out.
class OnnxBuilder {
 public:
  OnnxBuilder(std::string_view graph_name, int opset);
  ~OnnxBuilder();

  int opset() const { return opset_; }

  void Input(std::string_view name, DType dtype, const OnnxShape& shape);
  void Output(std::string_view name, DType dtype, const OnnxShape& shape);

  // Weights, as raw data. A file of opset 8 or older lists them among its inputs too.
  std::string Initializer(std::string_view name, const Tensor& tensor);
  // The same of values that are written in place: the caller fills the string, of the size that it
  // has, before any other call.
  std::string* RawInitializer(std::string_view name, const TensorType& type);

  // The value of a Constant node.
  std::string Constant(const Tensor& tensor, std::string_view scope = {});
  std::string ConstantInts(const std::vector<int64_t>& values, std::string_view scope = {});
  std::string ConstantFloat(float value, std::string_view scope = {});

  // The output of a node named "/scope/Op", or "/scope/Op_1" where that is taken.
  std::string Node(std::string_view op_type, const std::vector<std::string>& inputs,
                   const OnnxAttributes& attributes = {}, std::string_view scope = {});
  // The same with outputs of the names given.
  void NodeTo(const std::vector<std::string>& outputs, std::string_view op_type,
              const std::vector<std::string>& inputs, const OnnxAttributes& attributes = {},
              std::string_view scope = {});

  // Calls the only output of the last node `name` instead.
  void NameLast(std::string_view name);

  std::string Serialize() const;

 private:
  struct State;
  int opset_;
  std::unique_ptr<State> state_;
};

}  // namespace fettle
