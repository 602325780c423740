#include "fettle/network/onnx/model_import.h"

#include <onnx/onnx.pb.h>

#include <set>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/network/onnx/input_shapes.h"
#include "fettle/network/onnx/node_order.h"
#include "fettle/network/onnx/operator_table.h"

namespace fettle {
namespace {

constexpr int64_t kOldestOpset = 6;   // 7 brought NumPy's broadcasting, which replaces 6's
constexpr int64_t kNewestOpset = 26;  // the newest whose changes we have read

bool IsDefaultDomain(const std::string& domain) { return domain.empty() || domain == "ai.onnx"; }

int64_t OpsetOf(const onnx::ModelProto& model) {
  for (const onnx::OperatorSetIdProto& set : model.opset_import()) {
    if (!IsDefaultDomain(set.domain())) continue;
    if (set.version() < kOldestOpset || set.version() > kNewestOpset) {
      throw BadInput("opset ", set.version(), " is not supported; convert the model to one from ",
                     kOldestOpset, " to ", kNewestOpset);
    }
    return set.version();
  }
  throw BadInput("names no opset; is it an ONNX model?");
}

using Functions = std::set<std::pair<std::string, std::string>>;  // domain, name

Functions FunctionsOf(const onnx::ModelProto& model) {
  Functions functions;
  for (const onnx::FunctionProto& function : model.functions()) {
    functions.emplace(function.domain(), function.name());
  }
  return functions;
}

// A reason that holds for the operator whatever its inputs, or nothing.
std::optional<std::string> GeneralRefusal(const onnx::NodeProto& node, const Functions& functions) {
  if (functions.contains({node.domain(), node.op_type()})) {
    return "calls a function of the model; inline its functions before importing";
  }
  if (!IsDefaultDomain(node.domain())) {
    return Text("operators of the domain ", Quoted(node.domain()), " are not supported");
  }
  for (const onnx::AttributeProto& attribute : node.attribute()) {
    if (attribute.has_g() || attribute.graphs_size() > 0) {
      return "runs a subgraph; export the model without control flow";
    }
  }
  if (FindImporter(node.op_type()) == nullptr) {
    return Text(Quoted(node.op_type()), " is not an operator that Fettle knows");
  }
  return std::nullopt;
}

class ModelImport {
 public:
  ModelImport(onnx::ModelProto* model, TensorSource source, const ImportOptions& options)
      : model_(*model),
        proto_(*model->mutable_graph()),
        options_(options),
        opset_(OpsetOf(*model)),
        functions_(FunctionsOf(*model)),
        state_(std::move(source)) {}

  ImportedModel Run() {
    if (proto_.sparse_initializer_size() > 0) throw BadInput("sparse initializers");
    if (proto_.output_size() == 0) throw BadInput("has no outputs");
    ReadInitializers();
    ReadInputs();
    NameNodes();
    const NodeOrder order = OrderNodes(proto_, given_);
    for (int n : order.nodes) ImportNode(n, order.read);
    ReadOutputs();
    ReadMetadata();
    if (unsupported_.empty()) state_.graph().RemoveUnused();
    return {std::move(state_.graph()), std::move(unsupported_)};
  }

 private:
  void ReadInitializers() {
    for (onnx::TensorProto& tensor : *proto_.mutable_initializer()) {
      RequireSoundName(tensor.name(), "initializer");
      if (tensor.name().empty()) throw BadInput("an initializer without a name");
      if (!given_.insert(tensor.name()).second) {
        throw BadInput("two initializers ", Quoted(tensor.name()));
      }
      state_.value_names().Insert(tensor.name());
      state_.DefineInitializer(tensor.name(), &tensor);
    }
  }

  void ReadInputs() {
    const InputShapes shapes(proto_, options_);
    std::unordered_set<std::string> seen;
    for (const onnx::ValueInfoProto& input : proto_.input()) {
      const std::string& name = input.name();
      RequireSoundName(name, "input");
      if (!seen.insert(name).second) throw BadInput("two inputs ", Quoted(name));
      // An input with an initializer is a constant with a default that may be overridden; not here.
      if (!given_.insert(name).second) continue;
      state_.value_names().Insert(name);
      try {
        DefineInput(input, shapes);
      } catch (const Error& error) {
        throw Error(error.kind(), Text("input ", Quoted(name), ": ", error.what()));
      }
    }
    for (const auto& [name, tensor] : options_.constants) {
      if (!seen.contains(name)) {
        throw Error(ErrorKind::kUsage, Text("there is no input ", Quoted(name), " to fix"));
      }
    }
  }

  void DefineInput(const onnx::ValueInfoProto& input, const InputShapes& shapes) {
    const auto fixed = options_.constants.find(input.name());
    if (fixed != options_.constants.end()) {
      const Tensor& value = fixed->second;
      if (!Allows(input.type(), value.type(), options_.widen_halves)) {
        throw BadInput("is declared ", DeclaredText(input.type(), options_.widen_halves),
                       ", but was to be fixed to ", TypeText(value.type()));
      }
      state_.Define(input.name(), state_.ConstantOperand(input.name(), value));
      return;
    }
    const TensorType type = shapes.TypeOf(input);
    const ValueId id = state_.graph().AddInput(input.name(), type);
    state_.Define(input.name(), {input.name(), type, nullptr, id});
  }

  // Names that the file gives come first, so that what we make up never takes one of them.
  void NameNodes() {
    node_names_.resize(static_cast<size_t>(proto_.node_size()));
    for (int n = 0; n < proto_.node_size(); ++n) {
      const onnx::NodeProto& node = proto_.node(n);
      RequireSoundName(node.name(), "node name");
      for (const std::string& output : node.output()) {
        RequireSoundName(output, "output");
        state_.value_names().Insert(output);
      }
      const bool is_taken = node.name().empty() || !state_.node_names().Insert(node.name());
      if (!is_taken) node_names_[static_cast<size_t>(n)] = node.name();
    }
    for (int n = 0; n < proto_.node_size(); ++n) {
      std::string& name = node_names_[static_cast<size_t>(n)];
      const onnx::NodeProto& node = proto_.node(n);
      if (!name.empty()) continue;
      const std::string output = node.output_size() > 0 ? node.output(0) : "";
      std::string op_type = IsSoundName(node.op_type()) ? node.op_type() : "";
      name = state_.node_names().Make(node.name().empty() ? op_type.append("_").append(output)
                                                          : node.name());
    }
  }

  void ImportNode(int n, const std::unordered_set<std::string>& read) {
    const onnx::NodeProto& proto = proto_.node(n);
    const std::string& name = node_names_[static_cast<size_t>(n)];
    try {
      const std::optional<std::string> refusal = GeneralRefusal(proto, functions_);
      if (refusal) throw Refusal(*refusal);
      NodeImport node(proto, name, opset_, read, &state_);
      FindImporter(proto.op_type())(node);
      const std::optional<std::string> unasked = node.attributes().Unasked();
      if (unasked) throw Refuse("the attribute ", Quoted(*unasked), " is not known");
      return;
    } catch (const Refusal& refusal) {
      unsupported_.push_back(
          {name, Printable(proto.op_type()), Printable(proto.domain()), refusal.reason});
    } catch (const UnknownInput&) {
      // Said of the node it comes from.
    } catch (const Error& error) {
      throw BadInput(NodeText(proto), ": ", error.what());
    }
    for (const std::string& output : proto.output()) state_.DefineUnknown(output);
  }

  void ReadOutputs() {
    for (const onnx::ValueInfoProto& output : proto_.output()) {
      const std::string& name = output.name();
      if (state_.IsUnknown(name)) continue;
      try {
        const Operand& operand = state_.Get(name);
        if (!Allows(output.type(), operand.type, options_.widen_halves)) {
          throw BadInput("is declared ", DeclaredText(output.type(), options_.widen_halves),
                         ", but what computes it gives ", TypeText(operand.type));
        }
        // A constant may be known under another name than the output's.
        const bool has_its_name = operand.name == name;
        state_.graph().AddOutput(has_its_name ? state_.IdOf(operand)
                                              : state_.graph().AddConstant(name, operand.constant));
      } catch (const Error& error) {
        throw BadInput("output ", Quoted(name), ": ", error.what());
      }
    }
  }

  void ReadMetadata() {
    for (const onnx::StringStringEntryProto& entry : model_.metadata_props()) {
      RequireSoundName(entry.key(), "metadata key");
      state_.graph().metadata[entry.key()] = entry.value();
    }
  }

  const onnx::ModelProto& model_;
  onnx::GraphProto& proto_;
  const ImportOptions& options_;
  int64_t opset_;
  Functions functions_;
  ImportState state_;
  std::unordered_set<std::string> given_;
  std::vector<std::string> node_names_;
  std::vector<UnsupportedOperator> unsupported_;
};

}  // namespace

ImportedModel ImportModel(onnx::ModelProto* model, const std::filesystem::path& folder,
                          const ImportOptions& options) {
  if (!model->has_graph()) throw BadInput("has no graph; is it an ONNX model?");
  return ModelImport(model, {folder, options.widen_halves}, options).Run();
}

}  // namespace fettle
