#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/network/graph.h"
#include "fettle/network/onnx/names.h"

namespace onnx {
class GraphProto;
class NodeProto;
}  // namespace onnx

namespace fettle {

// What holds for a whole file while its nodes are written.
struct ExportState {
  const Graph& graph;
  onnx::GraphProto* proto;
  int64_t opset;
  bool has_open_batch;                   // sizes that hold the batch must not be written down
  std::vector<std::string> value_names;  // of each of the graph's values, unique
  UniqueNames names;                     // all of them
};

// One node while it is written. The constants that ONNX wants as inputs where we have attributes
// become initializers called "node/what".
class NodeExport {
 public:
  NodeExport(const Node& node, ExportState* state);

  int64_t opset() const { return state_->opset; }
  bool has_open_batch() const { return state_->has_open_batch; }
  const TensorType& InputType(size_t i) const;
  const TensorType& OutputType() const;

  void SetOpType(std::string_view op_type);
  void SetInt(std::string_view name, int64_t value);
  void SetFloat(std::string_view name, float value);
  void SetString(std::string_view name, std::string_view value);
  void SetInts(std::string_view name, const std::vector<int64_t>& values);

  // Behind the graph's own inputs, which come first.
  void AddInput(std::string_view what, const Tensor& value);
  void AddInput(std::string_view what, const std::vector<int64_t>& values);
  void SkipInput();

 private:
  const Node& node_;
  ExportState* state_;
  onnx::NodeProto* proto_;
};

// Writes the node as ONNX's operator. Throws an Error, without the node's name, where there is
// none.
void ExportOperator(const Op& op, NodeExport* node);
void ExportResize(const Resize& resize, NodeExport* node);

// The lowest opset from 17 on that has the operator in this form.
int64_t LowestOpset(const Op& op);

}  // namespace fettle
