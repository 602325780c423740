#include "tests/network/onnx/model_builder.h"

#include <gtest/gtest.h>
#include <onnx/onnx.pb.h>

#include <algorithm>

#include "fettle/core/error.h"
#include "fettle/network/onnx/element_types.h"
#include "fettle/network/onnx/tensor_proto.h"

namespace fettle {
namespace {

void Describe(onnx::ValueInfoProto* value, const std::vector<std::string>& dims, DType dtype) {
  onnx::TypeProto::Tensor* tensor = value->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(OnnxOfDType(dtype));
  tensor->mutable_shape();
  for (const std::string& text : dims) {
    onnx::TensorShapeProto::Dimension* dim = tensor->mutable_shape()->add_dim();
    if (text.find_first_not_of("-0123456789") == std::string::npos) {
      dim->set_dim_value(std::stoll(text));
    } else if (text != "?") {
      dim->set_dim_param(text);
    }
  }
}

void Write(const OnnxAttribute& attribute, onnx::AttributeProto* proto) {
  proto->set_name(attribute.name);
  if (const auto* i = std::get_if<int64_t>(&attribute.value)) {
    proto->set_type(onnx::AttributeProto::INT);
    proto->set_i(*i);
  } else if (const auto* f = std::get_if<float>(&attribute.value)) {
    proto->set_type(onnx::AttributeProto::FLOAT);
    proto->set_f(*f);
  } else if (const auto* s = std::get_if<std::string>(&attribute.value)) {
    proto->set_type(onnx::AttributeProto::STRING);
    proto->set_s(*s);
  } else if (const auto* ints = std::get_if<Ints>(&attribute.value)) {
    proto->set_type(onnx::AttributeProto::INTS);
    for (int64_t value : *ints) proto->add_ints(value);
  } else if (const auto* floats = std::get_if<std::vector<float>>(&attribute.value)) {
    proto->set_type(onnx::AttributeProto::FLOATS);
    for (float value : *floats) proto->add_floats(value);
  } else {
    proto->set_type(onnx::AttributeProto::TENSOR);
    EncodeTensor(std::get<Tensor>(attribute.value), "", proto->mutable_t());
  }
}

std::vector<std::string> Texts(const Shape& shape) {
  std::vector<std::string> texts;
  for (int64_t extent : shape) texts.push_back(std::to_string(extent));
  return texts;
}

}  // namespace

onnx::ModelProto EmptyModel(int64_t opset) {
  onnx::ModelProto model;
  model.set_ir_version(8);
  AddOpset(&model, "", opset);
  model.mutable_graph()->set_name("test");
  return model;
}

void AddOpset(onnx::ModelProto* model, const std::string& domain, int64_t version) {
  onnx::OperatorSetIdProto* set = model->add_opset_import();
  set->set_domain(domain);
  set->set_version(version);
}

void AddInput(onnx::ModelProto* model, const std::string& name,
              const std::vector<std::string>& dims, DType dtype) {
  onnx::ValueInfoProto* value = model->mutable_graph()->add_input();
  value->set_name(name);
  Describe(value, dims, dtype);
}

void AddOutput(onnx::ModelProto* model, const std::string& name) {
  model->mutable_graph()->add_output()->set_name(name);
}

void AddOutput(onnx::ModelProto* model, const std::string& name,
               const std::vector<std::string>& dims, DType dtype) {
  onnx::ValueInfoProto* value = model->mutable_graph()->add_output();
  value->set_name(name);
  Describe(value, dims, dtype);
}

void AddInitializer(onnx::ModelProto* model, const std::string& name, const Tensor& value) {
  EncodeTensor(value, name, model->mutable_graph()->add_initializer());
}

onnx::NodeProto* AddNode(onnx::ModelProto* model, const std::string& op_type,
                         const std::vector<std::string>& inputs,
                         const std::vector<std::string>& outputs,
                         const std::vector<OnnxAttribute>& attributes) {
  onnx::NodeProto* node = model->mutable_graph()->add_node();
  node->set_op_type(op_type);
  for (const std::string& input : inputs) node->add_input(input);
  for (const std::string& output : outputs) node->add_output(output);
  for (const OnnxAttribute& attribute : attributes) Write(attribute, node->add_attribute());
  return node;
}

std::string BytesOf(const onnx::ModelProto& model) { return model.SerializeAsString(); }

Graph ImportBytes(const std::string& bytes, const ImportOptions& options) {
  return ImportOnnxBytes(std::as_bytes(std::span(bytes)), "test.onnx", {}, options);
}

Graph ImportProto(const onnx::ModelProto& model, const ImportOptions& options) {
  return ImportBytes(BytesOf(model), options);
}

std::string FaultOf(const onnx::ModelProto& model, const ImportOptions& options) {
  try {
    ImportProto(model, options);
    return "";
  } catch (const Error& error) {
    return error.what();
  }
}

Tensor I64(const Ints& values) {
  return Tensor::Of<int64_t>(DType::kI64, {static_cast<int64_t>(values.size())}, values);
}

Tensor F32(const std::vector<float>& values) {
  return Tensor::Of<float>(DType::kF32, {static_cast<int64_t>(values.size())}, values);
}

Tensor Scalar(float value) { return Tensor::Of<float>(DType::kF32, {}, {{value}}); }

Tensor Zeros(const Shape& shape, DType dtype) { return Tensor({dtype, shape}); }

onnx::ModelProto ModelOf(const OneNode& node) {
  onnx::ModelProto model = EmptyModel(node.opset);
  std::vector<std::string> inputs, outputs;
  for (const Shape& shape : node.inputs) {
    inputs.push_back(Text("x", inputs.size()));
    AddInput(&model, inputs.back(), Texts(shape));
  }
  for (const Tensor& constant : node.constants) {
    const bool is_absent = constant.type() == TensorType{DType::kF32, {0}};
    inputs.push_back(is_absent ? "" : Text("c", inputs.size()));
    if (!is_absent) AddInitializer(&model, inputs.back(), constant);
  }
  for (size_t i = 0; i < node.outputs; ++i) {
    outputs.push_back(Text("y", i));
    AddOutput(&model, outputs.back());
  }
  AddNode(&model, node.op_type, inputs, outputs, node.attributes)->set_name("node");
  return model;
}

std::string OpsOf(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes()) {
    if (!text.empty()) text += "\n";
    text += OpText(node.op);
  }
  return text;
}

std::string DescriptionOf(const Graph& graph) {
  std::string text;
  const auto value = [&](ValueId id) {
    text += " " + graph.value(id).name + ":" + TypeText(graph.value(id).type);
    if (graph.IsConstant(id)) text += "=constant";
  };
  for (ValueId id : graph.inputs()) value(id);
  for (const Node& node : graph.nodes()) {
    text += "\n" + node.name + " = " + OpText(node.op);
    for (ValueId id : node.inputs) value(id);
    text += " ->";
    for (ValueId id : node.outputs) value(id);
  }
  text += "\noutputs";
  for (ValueId id : graph.outputs()) value(id);
  for (const auto& [key, entry] : graph.metadata) text += Text("\n", key, "=", entry);
  return text;
}

std::string OpsOf(const OneNode& node) { return OpsOf(ImportProto(ModelOf(node))); }

std::string FaultOf(const OneNode& node) { return FaultOf(ModelOf(node)); }

std::string OutputsOf(const OneNode& node) {
  const Graph graph = ImportProto(ModelOf(node));
  std::string text;
  for (ValueId id : graph.outputs()) {
    if (!text.empty()) text += " ";
    text += ShapeText(graph.value(id).type.shape);
  }
  return text;
}

Tensor ConstantOf(const OneNode& node) {
  const Graph graph = ImportProto(ModelOf(node));
  const Value& value = graph.value(graph.outputs().at(0));
  EXPECT_NE(value.constant, nullptr) << "not computed at import";
  return value.constant != nullptr ? *value.constant : Tensor();
}

}  // namespace fettle
