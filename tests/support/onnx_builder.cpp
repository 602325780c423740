#include "tests/support/onnx_builder.h"

#include <onnx/onnx.pb.h>

#include <cassert>
#include <map>

#include "fettle/core/error.h"
#include "fettle/core/file.h"

namespace fettle {
namespace {

constexpr int kLastOpsetWithWeightsAsInputs = 8;  // of IR version 3

// The IR version that the ONNX release of an opset wrote (ONNX's Versioning.md).
int IrVersionOf(int opset) {
  if (opset <= 8) return 3;
  if (opset == 9) return 4;
  if (opset == 10) return 5;
  if (opset == 11) return 6;
  if (opset <= 14) return 7;
  if (opset <= 18) return 8;
  return opset <= 20 ? 9 : 10;
}

onnx::TensorProto::DataType TypeOf(DType dtype) {
  switch (dtype) {
    case DType::kF32:
      return onnx::TensorProto::FLOAT;
    case DType::kF64:
      return onnx::TensorProto::DOUBLE;
    case DType::kF16:
      return onnx::TensorProto::FLOAT16;
    case DType::kBF16:
      return onnx::TensorProto::BFLOAT16;
    case DType::kI8:
      return onnx::TensorProto::INT8;
    case DType::kU8:
      return onnx::TensorProto::UINT8;
    case DType::kI16:
      return onnx::TensorProto::INT16;
    case DType::kI32:
      return onnx::TensorProto::INT32;
    case DType::kI64:
      return onnx::TensorProto::INT64;
    case DType::kBool:
      return onnx::TensorProto::BOOL;
  }
  return onnx::TensorProto::UNDEFINED;
}

void SetHeader(std::string_view name, const TensorType& type, onnx::TensorProto* proto) {
  proto->set_name(std::string(name));
  proto->set_data_type(TypeOf(type.dtype));
  for (const int64_t extent : type.shape) proto->add_dims(extent);
}

void SetTensor(std::string_view name, const Tensor& tensor, onnx::TensorProto* proto) {
  SetHeader(name, tensor.type(), proto);
  proto->set_raw_data(std::string(AsText({tensor.bytes(), tensor.num_bytes()})));
}

void SetValueInfo(std::string_view name, DType dtype, const OnnxShape& shape,
                  onnx::ValueInfoProto* info) {
  info->set_name(std::string(name));
  onnx::TypeProto::Tensor* type = info->mutable_type()->mutable_tensor_type();
  type->set_elem_type(TypeOf(dtype));
  type->mutable_shape();  // a scalar has a shape without extents, not none
  for (const OnnxExtent& extent : shape) {
    auto* dim = type->mutable_shape()->add_dim();
    if (const auto* number = std::get_if<int64_t>(&extent)) {
      dim->set_dim_value(*number);
    } else {
      dim->set_dim_param(std::get<std::string>(extent));
    }
  }
}

// Writes an attribute's value in the field of its type.
struct SetAttribute {
  onnx::AttributeProto* proto;

  void operator()(int64_t value) const {
    proto->set_type(onnx::AttributeProto::INT);
    proto->set_i(value);
  }
  void operator()(float value) const {
    proto->set_type(onnx::AttributeProto::FLOAT);
    proto->set_f(value);
  }
  void operator()(const std::string& value) const {
    proto->set_type(onnx::AttributeProto::STRING);
    proto->set_s(value);
  }
  void operator()(const std::vector<int64_t>& values) const {
    proto->set_type(onnx::AttributeProto::INTS);
    for (const int64_t value : values) proto->add_ints(value);
  }
  void operator()(const std::vector<float>& values) const {
    proto->set_type(onnx::AttributeProto::FLOATS);
    for (const float value : values) proto->add_floats(value);
  }
  void operator()(const Tensor& value) const {
    proto->set_type(onnx::AttributeProto::TENSOR);
    SetTensor("", value, proto->mutable_t());
  }
};

}  // namespace

struct OnnxBuilder::State {
  onnx::ModelProto model;
  std::map<std::string, int> names;  // how often a node's name was asked for

  onnx::GraphProto* graph() { return model.mutable_graph(); }

  std::string UniqueName(const std::string& name) {
    const int count = names[name]++;
    return count == 0 ? name : Text(name, "_", count);
  }

  void AddNode(const std::string& name, const std::vector<std::string>& outputs,
               std::string_view op_type, const std::vector<std::string>& inputs,
               const OnnxAttributes& attributes) {
    onnx::NodeProto* node = graph()->add_node();
    node->set_name(name);
    node->set_op_type(std::string(op_type));
    for (const std::string& input : inputs) node->add_input(input);
    for (const std::string& output : outputs) node->add_output(output);
    for (const auto& [key, value] : attributes) {
      onnx::AttributeProto* attribute = node->add_attribute();
      attribute->set_name(key);
      std::visit(SetAttribute{attribute}, value);
    }
  }

  std::string NodeName(std::string_view op_type, std::string_view scope) {
    std::string name = scope.empty() ? Text("/", op_type) : Text("/", scope, "/", op_type);
    return UniqueName(name);
  }
};

OnnxShape ToOnnxShape(const Shape& shape) { return {shape.begin(), shape.end()}; }

OnnxBuilder::OnnxBuilder(std::string_view graph_name, int opset)
    : opset_(opset), state_(std::make_unique<State>()) {
  state_->model.set_ir_version(IrVersionOf(opset));
  state_->model.set_producer_name("fettle model zoo");
  state_->model.add_opset_import()->set_version(opset);
  state_->graph()->set_name(std::string(graph_name));
}

OnnxBuilder::~OnnxBuilder() = default;

void OnnxBuilder::Input(std::string_view name, DType dtype, const OnnxShape& shape) {
  SetValueInfo(name, dtype, shape, state_->graph()->add_input());
}

void OnnxBuilder::Output(std::string_view name, DType dtype, const OnnxShape& shape) {
  SetValueInfo(name, dtype, shape, state_->graph()->add_output());
}

std::string OnnxBuilder::Initializer(std::string_view name, const Tensor& tensor) {
  *RawInitializer(name, tensor.type()) = AsText({tensor.bytes(), tensor.num_bytes()});
  return std::string(name);
}

std::string* OnnxBuilder::RawInitializer(std::string_view name, const TensorType& type) {
  if (opset_ <= kLastOpsetWithWeightsAsInputs) Input(name, type.dtype, ToOnnxShape(type.shape));
  onnx::TensorProto* proto = state_->graph()->add_initializer();
  SetHeader(name, type, proto);
  proto->mutable_raw_data()->resize(static_cast<size_t>(ByteSize(type)));
  return proto->mutable_raw_data();
}

std::string OnnxBuilder::Constant(const Tensor& tensor, std::string_view scope) {
  return Node("Constant", {}, {{"value", tensor}}, scope);
}

std::string OnnxBuilder::ConstantInts(const std::vector<int64_t>& values, std::string_view scope) {
  const Shape shape = {static_cast<int64_t>(values.size())};
  return Constant(Tensor::Of<int64_t>(DType::kI64, shape, values), scope);
}

std::string OnnxBuilder::ConstantFloat(float value, std::string_view scope) {
  return Constant(Tensor::Of<float>(DType::kF32, {}, {{value}}), scope);
}

std::string OnnxBuilder::Node(std::string_view op_type, const std::vector<std::string>& inputs,
                              const OnnxAttributes& attributes, std::string_view scope) {
  const std::string name = state_->NodeName(op_type, scope);
  std::string output = Text(name, "_output_0");
  state_->AddNode(name, {output}, op_type, inputs, attributes);
  return output;
}

void OnnxBuilder::NodeTo(const std::vector<std::string>& outputs, std::string_view op_type,
                         const std::vector<std::string>& inputs, const OnnxAttributes& attributes,
                         std::string_view scope) {
  state_->AddNode(state_->NodeName(op_type, scope), outputs, op_type, inputs, attributes);
}

void OnnxBuilder::NameLast(std::string_view name) {
  onnx::NodeProto* last = state_->graph()->mutable_node(state_->graph()->node_size() - 1);
  assert(last->output_size() == 1);
  last->set_output(0, std::string(name));
}

std::string OnnxBuilder::Serialize() const { return state_->model.SerializeAsString(); }

}  // namespace fettle
