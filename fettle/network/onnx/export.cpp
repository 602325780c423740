#include "fettle/network/onnx/export.h"

#include <onnx/onnx.pb.h>

#include <algorithm>
#include <fstream>
#include <limits>
#include <set>
#include <system_error>

#include "fettle/core/error.h"
#include "fettle/network/onnx/element_types.h"
#include "fettle/network/onnx/import.h"
#include "fettle/network/onnx/node_export.h"
#include "fettle/network/onnx/tensor_proto.h"

namespace fettle {
namespace {

int64_t IrVersionOf(int64_t opset) { return opset < 19 ? 8 : 9; }

// The values' own names where they are unique and not empty. Those of inputs and outputs, by which
// others know the model, go first.
std::vector<std::string> ValueNames(const Graph& graph, UniqueNames* names) {
  std::vector<std::string> chosen(graph.num_values());
  const auto choose = [&](ValueId id) {
    std::string& name = chosen[static_cast<size_t>(id)];
    const std::string& wanted = graph.value(id).name;
    if (name.empty()) name = names->Make(wanted.empty() ? "value" : wanted);
  };
  for (ValueId id : graph.inputs()) choose(id);
  for (ValueId id : graph.outputs()) choose(id);
  for (size_t id = 0; id < graph.num_values(); ++id) choose(static_cast<ValueId>(id));
  return chosen;
}

void DescribeValue(const TensorType& type, const std::string& name,
                   const std::string& dynamic_batch, onnx::ValueInfoProto* proto) {
  proto->set_name(name);
  onnx::TypeProto::Tensor* tensor = proto->mutable_type()->mutable_tensor_type();
  tensor->set_elem_type(OnnxOfDType(type.dtype));
  onnx::TensorShapeProto* shape = tensor->mutable_shape();
  for (int64_t extent : type.shape) shape->add_dim()->set_dim_value(extent);
  if (!dynamic_batch.empty() && shape->dim_size() > 0) {
    shape->mutable_dim(0)->set_dim_param(dynamic_batch);
  }
}

void WriteConstants(const Graph& graph, const std::vector<std::string>& names,
                    onnx::GraphProto* proto) {
  std::vector<bool> is_read(graph.num_values(), false);
  for (ValueId id : graph.outputs()) is_read[static_cast<size_t>(id)] = true;
  for (const Node& node : graph.nodes()) {
    for (ValueId id : node.inputs) is_read[static_cast<size_t>(id)] = true;
  }
  for (size_t id = 0; id < graph.num_values(); ++id) {
    const Value& value = graph.value(static_cast<ValueId>(id));
    if (value.constant == nullptr || !is_read[id]) continue;
    EncodeTensor(*value.constant, names[id], proto->add_initializer());
  }
}

void WriteNodes(ExportState* state) {
  for (const Node& node : state->graph.nodes()) {
    NodeExport written(node, state);
    try {
      ExportOperator(node.op, &written);
    } catch (const Error& error) {
      throw Error(error.kind(),
                  Text("node '", node.name, "' (", NameOf(node.op), "): ", error.what()));
    }
  }
}

onnx::ModelProto ModelOf(const Graph& graph, const ExportOptions& options) {
  onnx::ModelProto model;
  int64_t opset = 17;
  for (const Node& node : graph.nodes()) opset = std::max(opset, LowestOpset(node.op));
  model.set_ir_version(IrVersionOf(opset));
  model.set_producer_name("fettle");
  model.add_opset_import()->set_version(opset);
  onnx::GraphProto* proto = model.mutable_graph();
  proto->set_name("network");

  ExportState state{graph, proto, opset, !options.dynamic_batch.empty(), {}, {}};
  state.value_names = ValueNames(graph, &state.names);
  const auto describe = [&](ValueId id, onnx::ValueInfoProto* place) {
    DescribeValue(graph.value(id).type, state.value_names[static_cast<size_t>(id)],
                  options.dynamic_batch, place);
  };
  for (ValueId id : graph.inputs()) describe(id, proto->add_input());
  for (ValueId id : graph.outputs()) describe(id, proto->add_output());
  WriteConstants(graph, state.value_names, proto);
  WriteNodes(&state);
  for (const auto& [key, value] : graph.metadata) {
    onnx::StringStringEntryProto* entry = model.add_metadata_props();
    entry->set_key(key);
    entry->set_value(value);
  }
  return model;
}

std::string Serialize(const onnx::ModelProto& model) {
  if (model.ByteSizeLong() > static_cast<size_t>(std::numeric_limits<int>::max())) {
    throw BadInput("the network is larger than the 2 GiB that an ONNX file can hold");
  }
  return model.SerializeAsString();
}

// An extent that no value of the graph has, so that it is not mistaken for one.
int64_t UnusedExtent(const Graph& graph) {
  std::set<int64_t> used;
  for (size_t id = 0; id < graph.num_values(); ++id) {
    const Shape& shape = graph.value(static_cast<ValueId>(id)).type.shape;
    used.insert(shape.begin(), shape.end());
  }
  int64_t extent = 2;
  while (used.contains(extent)) ++extent;
  return extent;
}

// An open batch is right if the file, read at another batch, gives what the graph gives with only
// the leading extents of its outputs changed.
void RequireWorksAtAnyBatch(const Graph& graph, const std::string& bytes) {
  const auto fail = [](const auto&... why) {
    throw BadInput("the batch cannot be left open: ", why...);
  };
  for (ValueId id : graph.inputs()) {
    if (graph.value(id).type.shape.empty()) fail("input '", graph.value(id).name, "' is a scalar");
  }
  ImportOptions options;
  options.widen_halves = false;
  options.batch = UnusedExtent(graph);
  Graph other;
  try {
    other = ImportOnnxBytes(std::as_bytes(std::span(bytes)), "the graph", {}, options);
  } catch (const Error& error) {
    fail(error.what());
  }
  for (size_t i = 0; i < graph.outputs().size(); ++i) {
    const Value& value = graph.value(graph.outputs()[i]);
    Shape expected = value.type.shape;
    if (!expected.empty()) expected[0] = options.batch;
    if (other.value(other.outputs()[i]).type.shape != expected || expected.empty()) {
      fail("output '", value.name, "' ", TypeText(value.type), " has it not as its leading axis");
    }
  }
}

}  // namespace

std::string ExportOnnxBytes(const Graph& graph, const ExportOptions& options) {
  std::string bytes = Serialize(ModelOf(graph, options));
  if (!options.dynamic_batch.empty()) RequireWorksAtAnyBatch(graph, bytes);
  return bytes;
}

void ExportOnnx(const Graph& graph, const std::filesystem::path& file,
                const ExportOptions& options) {
  const std::string bytes = ExportOnnxBytes(graph, options);
  std::filesystem::path partial = file;
  partial += ".partial";
  std::error_code fault;
  {
    std::ofstream stream(partial, std::ios::binary);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.close();
    if (!stream) {
      std::filesystem::remove(partial, fault);
      throw BadInput(partial.string(), ": cannot be written; is the folder there, and not full?");
    }
  }
  std::filesystem::rename(partial, file, fault);
  if (fault) {
    const std::string reason = fault.message();
    std::filesystem::remove(partial, fault);
    throw BadInput(file.string(), ": cannot be written: ", reason);
  }
}

}  // namespace fettle
