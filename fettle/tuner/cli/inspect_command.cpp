#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/network/graph.h"
#include "fettle/network/macs.h"
#include "fettle/network/onnx/import.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/decisions_text.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/option_errors.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

struct NodeRow {
  std::string name, op, output;
  int64_t parameters = 0, macs = 0;
};

NodeRow RowOf(const Graph& graph, const Node& node) {
  NodeRow row;
  row.name = node.name;
  row.op = std::string(NameOf(node.op));
  row.output = TypeText(graph.value(node.outputs[0]).type);
  for (const ValueId id : node.inputs) {
    if (graph.IsConstant(id)) row.parameters += ElementCount(graph.value(id).type);
  }
  row.macs = MacsOf(graph, node);
  return row;
}

int PrintUnsupported(const std::vector<UnsupportedOperator>& unsupported, bool as_json,
                     Console& console) {
  if (as_json) {
    Json json = {{"schema", 1}, {"supported", false}};
    json["unsupported"] = Json::array();
    for (const UnsupportedOperator& op : unsupported) {
      json["unsupported"].push_back({{"layer", op.node},
                                     {"operator", op.op_type},
                                     {"domain", op.domain},
                                     {"reason", op.reason}});
    }
    console.out() << json.dump(1) << '\n';
  } else {
    std::vector<std::vector<std::string>> rows = {{"not supported", "layer", "why"}};
    for (const UnsupportedOperator& op : unsupported) {
      rows.push_back({op.op_type, op.node, op.reason});
    }
    console.out() << TableText(rows);
  }
  throw BadInput(unsupported.size(),
                 " operators are not supported; replace them, or export the "
                 "model without them");
}

void PrintJson(const Graph& graph, const std::vector<NetworkDecision>& decisions,
               Console& console) {
  Json json = {{"schema", 1}, {"supported", true}};
  json["parameters"] = graph.NumParameters();
  json["weight_bytes"] = WeightBytes(graph);
  for (const auto& [key, ids] :
       {std::pair("inputs", graph.inputs()), std::pair("outputs", graph.outputs())}) {
    json[key] = Json::array();
    for (const ValueId id : ids) {
      json[key].push_back(
          {{"name", graph.value(id).name}, {"type", TypeText(graph.value(id).type)}});
    }
  }
  json["layers"] = Json::array();
  int64_t macs = 0;
  for (const Node& node : graph.nodes()) {
    const NodeRow row = RowOf(graph, node);
    macs += row.macs;
    json["layers"].push_back({{"layer", row.name},
                              {"operator", OpText(node.op)},
                              {"output", row.output},
                              {"parameters", row.parameters},
                              {"macs", row.macs}});
  }
  json["macs"] = macs;
  json["decisions"] = Json::array();
  for (const NetworkDecision& decision : decisions) {
    Json options = Json::array();
    for (const NetworkOption& option : decision.options) {
      options.push_back({{"variant", option.variant},
                         {"parameters", option.parameters},
                         {"macs", option.macs},
                         {"weight_bytes", option.weight_bytes},
                         {"error", option.error ? Json(*option.error) : Json()}});
    }
    Json entry = {{"layer", decision.layer},
                  {"kind", decision.kind},
                  {"layers", decision.layers},
                  {"options", options}};
    if (!decision.reason.empty()) entry["reason"] = decision.reason;
    json["decisions"].push_back(std::move(entry));
  }
  console.out() << json.dump(1) << '\n';
}

void PrintTables(const Graph& graph, const std::vector<NetworkDecision>& decisions,
                 Console& console) {
  std::vector<std::vector<std::string>> rows = {
      {"layer", "operator", "output", "parameters", "MACs"}};
  int64_t macs = 0;
  for (const Node& node : graph.nodes()) {
    const NodeRow row = RowOf(graph, node);
    macs += row.macs;
    rows.push_back({row.name, row.op, row.output,
                    row.parameters > 0 ? CountText(row.parameters) : "",
                    row.macs > 0 ? CountText(row.macs) : ""});
  }
  rows.push_back({"total", "", "", CountText(graph.NumParameters()), CountText(macs)});
  console.out() << TableText(rows) << DecisionsText(graph, decisions);
}

}  // namespace

int RunInspect(std::span<const std::string> arguments, Console& console) {
  Options options(
      "inspect MODEL.onnx",
      "Lists a model's layers with their shapes, parameters and multiplications (MACs), "
      "what may be changed in it and to what (docs/variants.md), and what is not supported and "
      "why.",
      {"fettle inspect models/resnet20.onnx",
       "fettle inspect models/resnet20.onnx --json --no-errors | jq '.decisions[].layer'"});
  options.AddArgument("MODEL", "An ONNX file.");
  options.AddValue("batch", "N", "The batch, where the file leaves it open (default 1).");
  options.AddValue("step", "N", "Offer widths that are multiples of this (default 8).");
  options.AddFlag("no-errors", "Leaves out the errors, which take the decompositions to be made.");
  options.AddValue("threads", "N", "That look for options and errors (default 2).");
  options.AddFlag("json", "Prints JSON.");
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  ImportOptions import;
  import.batch = options.GetInteger("batch", 1, 1, 1 << 20);
  const std::string file = options.Get("MODEL");
  const std::vector<UnsupportedOperator> unsupported = FindUnsupported(file, import);
  if (!unsupported.empty()) return PrintUnsupported(unsupported, options.Has("json"), console);

  const Graph graph = ImportOnnx(file, import);
  DecisionOptions offered;
  offered.channel_step = options.GetInteger("step", offered.channel_step, 1, 4096);
  const int threads = static_cast<int>(options.GetInteger("threads", 2, 1, 1024));
  offered.threads = threads;
  offered.progress = [&](size_t done, size_t all) {
    console.Status(Text("options of ", done, " of ", all, " layers"));
  };
  std::vector<NetworkDecision> decisions = FindDecisions(graph, offered);
  console.ClearStatus();
  if (!options.Has("no-errors")) {
    size_t count = 0;
    for (const NetworkDecision& decision : decisions) count += decision.options.size();
    FillErrors(
        graph, threads,
        [&](size_t done) { console.Status(Text("errors of ", done, " of ", count, " options")); },
        &decisions);
    console.ClearStatus();
  }
  if (options.Has("json")) {
    PrintJson(graph, decisions, console);
  } else {
    PrintTables(graph, decisions, console);
  }
  return 0;
}

}  // namespace fettle
