#include "fettle/network/onnx/node_export.h"

#include <onnx/onnx.pb.h>

#include "fettle/core/error.h"
#include "fettle/network/onnx/tensor_proto.h"

namespace fettle {

using onnx::AttributeProto;

NodeExport::NodeExport(const Node& node, ExportState* state)
    : node_(node), state_(state), proto_(state->proto->add_node()) {
  proto_->set_name(node.name);
  for (ValueId id : node.inputs) proto_->add_input(state->value_names[static_cast<size_t>(id)]);
  for (ValueId id : node.outputs) proto_->add_output(state->value_names[static_cast<size_t>(id)]);
}

const TensorType& NodeExport::InputType(size_t i) const {
  return state_->graph.value(node_.inputs.at(i)).type;
}

const TensorType& NodeExport::OutputType() const {
  return state_->graph.value(node_.outputs.at(0)).type;
}

void NodeExport::SetOpType(std::string_view op_type) { proto_->set_op_type(std::string(op_type)); }

void NodeExport::SetInt(std::string_view name, int64_t value) {
  AttributeProto* attribute = proto_->add_attribute();
  attribute->set_name(std::string(name));
  attribute->set_type(AttributeProto::INT);
  attribute->set_i(value);
}

void NodeExport::SetFloat(std::string_view name, float value) {
  AttributeProto* attribute = proto_->add_attribute();
  attribute->set_name(std::string(name));
  attribute->set_type(AttributeProto::FLOAT);
  attribute->set_f(value);
}

void NodeExport::SetString(std::string_view name, std::string_view value) {
  AttributeProto* attribute = proto_->add_attribute();
  attribute->set_name(std::string(name));
  attribute->set_type(AttributeProto::STRING);
  attribute->set_s(std::string(value));
}

void NodeExport::SetInts(std::string_view name, const std::vector<int64_t>& values) {
  AttributeProto* attribute = proto_->add_attribute();
  attribute->set_name(std::string(name));
  attribute->set_type(AttributeProto::INTS);
  for (int64_t value : values) attribute->add_ints(value);
}

void NodeExport::AddInput(std::string_view what, const Tensor& value) {
  const std::string name = state_->names.Make(Text(node_.name, "/", what));
  EncodeTensor(value, name, state_->proto->add_initializer());
  proto_->add_input(name);
}

void NodeExport::AddInput(std::string_view what, const std::vector<int64_t>& values) {
  AddInput(what, Tensor::Of<int64_t>(DType::kI64, {static_cast<int64_t>(values.size())}, values));
}

void NodeExport::SkipInput() { proto_->add_input(""); }

}  // namespace fettle
