#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/network/batch.h"
#include "fettle/network/macs.h"
#include "fettle/network/onnx/export.h"
#include "fettle/network/onnx/import.h"
#include "fettle/network/saliency.h"
#include "fettle/network/variants/channel_origins.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/prune.h"
#include "fettle/network/variants/variant_list.h"
#include "fettle/training/data/data_sample.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/evaluation/calibrate.h"
#include "fettle/training/evaluation/fisher.h"
#include "fettle/training/evaluation/reconstruction.h"
#include "fettle/training/evaluation/statistics_repair.h"
#include "fettle/training/evaluation/taylor.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/data_help.h"
#include "fettle/tuner/cli/options.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kTrainImages = 1024, kCalibrationImages = 512, kValidationImages = 500;

// What --data gives.
struct RewriteData {
  Dataset train, validation;
};

// What was done, and how good it is.
struct Outcome {
  Graph graph;
  std::optional<double> weight_error;
  std::map<std::string, double> data_errors;  // by layer
  std::optional<StatisticsRepair> repair;
};

void Declare(Options* options) {
  options->AddArgument("MODEL", "An ONNX file.");
  options->AddValue("layer", "NAME", "The layer, addition or channel group, as inspect lists it.");
  options->AddValue("variant", "VARIANT", "What becomes of it: 'prune(keep=0.5)', 'svd(rank=8)'.");
  options->AddValue("out", "FILE.onnx", "Where to write the changed model.");
  options->AddValue("data", "DATA",
                    std::string("Fit it to activations on training images, and put the statistics "
                                "right afterwards. ") +
                        kDataHelp);
  options->AddValue("saliency", "l1|l2|taylor|fisher",
                    "Of pruning: which channels stay (default l2); taylor and fisher want --data "
                    "with labels.");
  options->AddValue("fresh", "SEED",
                    "Draw the weights anew, with batch norms and ReLUs between the factors, for a "
                    "network that is to be trained or distilled (fettle train).");
  options->AddValue("batch", "N", "The batch, where the file leaves it open (default 1).");
  options->AddValue("threads", "N", "Threads (default 2).");
  options->AddFlag("json", "Prints JSON.");
}

// Whether the file leaves the batch open, so that the changed model's is to be left open too.
bool IsBatchOpen(const std::string& file) {
  const auto batch_at = [&](int64_t batch) {
    ImportOptions options;
    options.batch = batch;
    return BatchOf(ImportOnnx(file, options));
  };
  try {
    return batch_at(2) != batch_at(1);
  } catch (const Error& error) {
    // Its input leaves it open, but something within is for one batch only.
    if (error.kind() != ErrorKind::kBadInput) throw;
    return false;
  }
}

std::optional<RewriteData> LoadData(const Options& options, const std::string& saliency) {
  if (!options.Has("data")) {
    if (saliency != "taylor" && saliency != "fisher") return std::nullopt;
    throw Error(ErrorKind::kUsage,
                Text("--saliency ", saliency, " wants labelled images; name them by --data DATA"));
  }
  const std::string data = options.Get("data");
  return RewriteData{
      LoadDataset(ParseDataSpec(data, DataSplit::kTrain), DataSample{kTrainImages}),
      LoadDataset(ParseDataSpec(data, DataSplit::kValidation), DataSample{kValidationImages})};
}

uint64_t FreshSeed(const Options& options, const Variant& variant) {
  if (variant.AsFactors() == nullptr) {
    throw Error(ErrorKind::kUsage, Text("--fresh is for variants that rewrite a layer into others, "
                                        "not for ",
                                        variant.Text()));
  }
  if (options.Has("data")) {
    throw Error(ErrorKind::kUsage, "--fresh draws weights and --data fits them; give one of them");
  }
  return static_cast<uint64_t>(options.GetInteger("fresh", 0, 0, INT64_MAX));
}

using Saliency = std::function<std::vector<double>(const Graph&, const ChannelGroup&)>;

// `data` must outlive it.
Saliency SaliencyOf(const std::string& name, const std::optional<RewriteData>& data,
                    const Target& target) {
  if (name == "taylor") {
    return [&data, target](const Graph& graph, const ChannelGroup& group) {
      return TaylorSaliency(graph, {group}, data->train, target)[0];
    };
  }
  if (name == "fisher") {
    return [&data, target](const Graph& graph, const ChannelGroup& group) {
      return FisherInformation(graph, {group}, data->train, target)[0];
    };
  }
  const WeightNorm norm = name == "l1" ? WeightNorm::kL1 : WeightNorm::kL2;
  return [norm](const Graph& graph, const ChannelGroup& group) {
    return MagnitudeSaliency(graph, group, {.norm = norm});
  };
}

Outcome Apply(const Variant& variant, const Graph& graph, const std::string& layer,
              RewriteOptions options, const std::optional<RewriteData>& data, const Target& target,
              Console& console) {
  Outcome outcome;
  if (!options.fresh_seed) outcome.weight_error = variant.WeightError(graph, layer);
  if (!data) {
    outcome.graph = variant.Rewrite(graph, layer, options);
    return outcome;
  }
  const PrimitiveList primitives = PrimitiveList::All();
  console.Status("the activations are looked at");
  const Calibration calibration =
      Calibrate(graph, ValuesToCalibrate(graph), Sampled(data->train, {kCalibrationImages}),
                primitives, target);
  options.calibration = &calibration;
  options.folds_constants = true;
  console.Status("the network is rewritten");
  const auto [changed, origins] = RewriteTracked(variant, graph, layer, options);
  console.Status("what the layers compute is compared");
  outcome.data_errors =
      ReconstructionErrors(graph, changed, data->validation, primitives, target, origins);
  console.Status("the statistics are put right");
  RepairedNetwork repaired =
      RepairStatistics(graph, changed, data->train, primitives, target, origins);
  outcome.graph = std::move(repaired.graph);
  outcome.repair = repaired.repair;
  console.ClearStatus();
  return outcome;
}

Json SizesOf(const Graph& graph) {
  return {{"parameters", graph.NumParameters()},
          {"macs", MacsOf(graph)},
          {"weight_bytes", WeightBytes(graph)}};
}

std::string_view RepairName(StatisticsRepair repair) {
  return repair == StatisticsRepair::kBatchNorm ? "batch_norm" : "biases";
}

Json JsonOf(const Graph& before, const Outcome& outcome) {
  Json json = {{"before", SizesOf(before)}, {"after", SizesOf(outcome.graph)}};
  json["error"] = outcome.weight_error ? Json(*outcome.weight_error) : Json();
  if (!outcome.repair) return json;
  json["data_errors"] = Json::array();
  for (const auto& [layer, error] : outcome.data_errors) {
    json["data_errors"].push_back({{"layer", layer}, {"error", error}});
  }
  json["repaired"] = RepairName(*outcome.repair);
  return json;
}

std::string TextOf(const Graph& before, const Outcome& outcome,
                   const std::optional<RewriteData>& data) {
  const Graph& after = outcome.graph;
  std::string text = TableText(
      {{"", "before", "after"},
       {"parameters", CountText(before.NumParameters()), CountText(after.NumParameters())},
       {"MACs", CountText(MacsOf(before)), CountText(MacsOf(after))},
       {"weights", BytesText(WeightBytes(before)), BytesText(WeightBytes(after))}});
  if (outcome.weight_error) {
    text += Text("error by the weights: ", FixedText(*outcome.weight_error, 5), '\n');
  }
  if (!data) return text;
  for (const auto& [layer, error] : outcome.data_errors) {
    text += Text("error of what '", layer, "' computes, on ", data->validation.size(),
                 " images of ", data->validation.name, ": ", FixedText(error, 5), '\n');
  }
  text += *outcome.repair == StatisticsRepair::kBatchNorm
              ? "batch norm's statistics were estimated anew\n"
              : "biases were corrected\n";
  return text;
}

}  // namespace

int RunRewrite(std::span<const std::string> arguments, Console& console) {
  Options options(
      "rewrite MODEL.onnx --layer NAME --variant VARIANT --out FILE.onnx",
      "Applies one variant by hand (docs/variants.md), and says what the model then costs and how "
      "far what was changed is from what it was. 'fettle inspect' lists what there is to apply, "
      "'fettle evaluate FILE.onnx --data DATA --against MODEL.onnx' what it did to the answers.",
      {"fettle rewrite models/resnet20.onnx --layer stage3.block2.conv1 --variant "
       "'tucker2(r3=16,r4=16)' --data fashion-mnist --out tucker2.onnx",
       "fettle rewrite models/resnet20.onnx --layer stage1.block1.conv1 --variant "
       "'prune(keep=0.5)' --data fashion-mnist --saliency taylor --out pruned.onnx"});
  Declare(&options);
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  for (const char* required : {"layer", "variant", "out"}) {
    if (!options.Has(required)) {
      throw Error(ErrorKind::kUsage,
                  Text("--", required, " is missing; see fettle rewrite --help"));
    }
  }
  const std::string layer = options.Get("layer"), out = options.Get("out");
  const std::unique_ptr<Variant> variant = ParseVariant(options.Get("variant"));
  const std::string saliency = options.GetChoice("saliency", {"l2", "l1", "taylor", "fisher"});
  if (options.Has("saliency") && !variant->Text().starts_with(kPruneKind.name)) {
    throw Error(ErrorKind::kUsage,
                Text("--saliency is for prune(keep=F), not for ", variant->Text()));
  }
  RewriteOptions how;
  if (options.Has("fresh")) how.fresh_seed = FreshSeed(options, *variant);
  const Target target = HostTarget(static_cast<int>(options.GetInteger("threads", 2, 1, 1024)));
  ImportOptions import;
  import.batch = options.GetInteger("batch", 1, 1, 1 << 20);
  RequireWritable(out);
  const std::string file = options.Get("MODEL");
  const Graph graph = ImportOnnx(file, import);
  // Whether it can be done at all is told before any data is read.
  variant->Rewrite(graph, layer, {.shapes_only = true});
  const std::optional<RewriteData> data = LoadData(options, saliency);
  how.saliency = SaliencyOf(saliency, data, target);
  Outcome outcome = Apply(*variant, graph, layer, how, data, target, console);

  std::string& history = outcome.graph.metadata["fettle.rewritten"];
  history += Text(history.empty() ? "" : "; ", layer, ": ", variant->Text());
  ExportOnnx(outcome.graph, out, {.dynamic_batch = IsBatchOpen(file) ? "N" : ""});
  if (options.Has("json")) {
    Json json = {{"schema", 1}, {"model", out}, {"layer", layer}, {"variant", variant->Text()}};
    json.update(JsonOf(graph, outcome));
    console.out() << json.dump() << '\n';
  } else {
    console.out() << out << ": " << variant->Text() << " of '" << layer << "'\n"
                  << TextOf(graph, outcome, data);
  }
  return 0;
}

}  // namespace fettle
