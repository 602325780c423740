#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "fettle/core/tensor.h"
#include "fettle/network/onnx/import.h"

namespace onnx {
class GraphProto;
class ModelProto;
class NodeProto;
class ValueInfoProto;
}  // namespace onnx

namespace fettle {

using Ints = std::vector<int64_t>;

// An attribute of an ONNX node, its type from its value.
struct OnnxAttribute {
  using Value = std::variant<int64_t, float, std::string, Ints, std::vector<float>, Tensor>;

  OnnxAttribute(std::string n, int v) : name(std::move(n)), value(int64_t{v}) {}
  OnnxAttribute(std::string n, double v) : name(std::move(n)), value(static_cast<float>(v)) {}
  OnnxAttribute(std::string n, const char* v) : name(std::move(n)), value(std::string(v)) {}
  OnnxAttribute(std::string n, Ints v) : name(std::move(n)), value(std::move(v)) {}
  OnnxAttribute(std::string n, std::vector<float> v) : name(std::move(n)), value(std::move(v)) {}
  OnnxAttribute(std::string n, Tensor v) : name(std::move(n)), value(std::move(v)) {}

  std::string name;
  Value value;
};

onnx::ModelProto EmptyModel(int64_t opset);
void AddOpset(onnx::ModelProto* model, const std::string& domain, int64_t version);
// "?" stands for an axis left open, any other text that is no number for a symbolic one.
void AddInput(onnx::ModelProto* model, const std::string& name,
              const std::vector<std::string>& dims, DType dtype = DType::kF32);
void AddOutput(onnx::ModelProto* model, const std::string& name);  // of no declared type
void AddOutput(onnx::ModelProto* model, const std::string& name,
               const std::vector<std::string>& dims, DType dtype = DType::kF32);
void AddInitializer(onnx::ModelProto* model, const std::string& name, const Tensor& value);
onnx::NodeProto* AddNode(onnx::ModelProto* model, const std::string& op_type,
                         const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs,
                         const std::vector<OnnxAttribute>& attributes = {});
std::string BytesOf(const onnx::ModelProto& model);

Graph ImportBytes(const std::string& bytes, const ImportOptions& options = {});
Graph ImportProto(const onnx::ModelProto& model, const ImportOptions& options = {});
// The Error's message; "" where the model is imported.
std::string FaultOf(const onnx::ModelProto& model, const ImportOptions& options = {});

Tensor I64(const Ints& values);
Tensor F32(const std::vector<float>& values);
Tensor Scalar(float value);
Tensor Zeros(const Shape& shape, DType dtype = DType::kF32);

// A model of one node: its inputs x0, x1, ... of these types, then the constants.
struct OneNode {
  int64_t opset;
  std::string op_type;
  std::vector<Shape> inputs;
  std::vector<OnnxAttribute> attributes = {};
  std::vector<Tensor> constants = {};  // an empty f32[0] is left out
  size_t outputs = 1;
};
onnx::ModelProto ModelOf(const OneNode& node);
// The canonical texts of the graph's nodes, one a line.
std::string OpsOf(const OneNode& node);
std::string OpsOf(const Graph& graph);
// Everything about a graph but the numbers that its constants hold.
std::string DescriptionOf(const Graph& graph);
std::string FaultOf(const OneNode& node);
// The shapes of the outputs: "1x2 3x4".
std::string OutputsOf(const OneNode& node);
// The first output, which must be a constant.
Tensor ConstantOf(const OneNode& node);

}  // namespace fettle
