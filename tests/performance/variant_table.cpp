// What each kind of variant does to a whole network at three strengths, before any training: every
// layer that can take it is rewritten, with its calibration, by the gentlest, a middling and the
// harshest option offered (of pruning: every group). Latency is measured with the best primitives,
// those measured for it, in turns with the original's, accuracy on the validation images.
//   variant_table MODEL.onnx DATA FOLDER FETTLE [KIND...]
// FETTLE is the program whose worker measures. FOLDER/measurements.tsv keeps each row as it becomes
// known, and it is not made again when the command is run anew; FOLDER/README.md is the table;
// FOLDER/scratch, not to be kept, has the layers' costs and the plans.
#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <map>
#include <sstream>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/cost_models/primitive_selection.h"
#include "fettle/deploy/default_plan.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/macs.h"
#include "fettle/network/onnx/import.h"
#include "fettle/network/variants/decisions.h"
#include "fettle/network/variants/variant_list.h"
#include "fettle/runtime/plan_file.h"
#include "fettle/training/data/data_sample.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/training/evaluation/calibrate.h"
#include "fettle/training/evaluation/evaluation.h"
#include "fettle/training/evaluation/statistics_repair.h"
#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/fixed_text.h"
#include "fettle/tuner/local_worker.h"
#include "fettle/tuner/plan_bench.h"

namespace fettle {
namespace {

constexpr int64_t kCalibrationImages = 512;
constexpr const char* kStrengths[] = {"gentle", "middling", "harsh"};

// The place of a strength among options that go from the gentlest to the harshest.
size_t PlaceOf(size_t strength, size_t options) {
  return (options - 1) * strength / (std::size(kStrengths) - 1);
}

struct Rewritten {
  Graph graph;
  int layers = 0;
};

// Prune offers go from narrow to wide.
std::vector<std::string> GentlestFirst(const NetworkDecision& decision) {
  std::vector<std::string> variants;
  for (const NetworkOption& option : decision.options) variants.push_back(option.variant);
  if (decision.kind == "prune") std::ranges::reverse(variants);
  return variants;
}

Rewritten Rewrite(const Graph& original, const std::string& kind, size_t strength,
                  const Calibration& calibration) {
  Rewritten rewritten{original, 0};
  Calibration carried = calibration;
  RewriteOptions options;
  options.folds_constants = true;
  options.calibration = options.carried = &carried;
  for (const NetworkDecision& decision : FindDecisions(original)) {
    if (decision.kind != kind || decision.options.empty()) continue;
    const std::vector<std::string> variants = GentlestFirst(decision);
    const std::string& variant = variants[PlaceOf(strength, variants.size())];
    try {
      rewritten.graph = ParseVariant(variant)->Rewrite(rewritten.graph, decision.layer, options);
      ++rewritten.layers;
    } catch (const Error& error) {
      // What was rewritten before may have left it too narrow.
      if (error.kind() != ErrorKind::kBadInput) throw;
    }
  }
  return rewritten;
}

// Everything that a row needs, kept between rows.
class Bench {
 public:
  Bench(const std::string& model, const std::string& data, std::filesystem::path folder,
        const std::string& program)
      : folder_(std::move(folder) / "scratch"),
        original_(ImportOnnx(model)),
        train_(Sampled(LoadDataset(ParseDataSpec(data, DataSplit::kTrain)), {8000})),
        validation_(LoadDataset(ParseDataSpec(data, DataSplit::kValidation))),
        worker_(LocalWorker(program)),
        catalog_(primitives_, target_),
        database_(CostDatabase::Open(folder_ / "costs.db", CostDatabase::Access::kReadWrite)),
        store_(&database_, &worker_, &catalog_, worker_.Describe({target_.threads}),
               "variant_table"),
        calibration_(Calibrate(original_, ValuesToCalibrate(original_),
                               Sampled(train_, {kCalibrationImages}), primitives_, target_)) {
    for (const char* plan : {"original", "original-bf16", "rewritten"}) {
      std::filesystem::create_directories(folder_ / plan);
    }
    WritePlan(folder_ / "original", PlanOf(original_, DType::kF32));
    WritePlan(folder_ / "original-bf16", PlanOf(original_, DType::kBF16));
  }

  const Graph& original() const { return original_; }

  // kind, strength, layers, parameters, MACs, f32 ms and ratio, bf16 ms and ratio, accuracy without
  // and with repaired statistics; in tabs.
  std::string Row(const std::string& kind, size_t strength) {
    const Rewritten rewritten = Rewrite(original_, kind, strength, calibration_);
    if (rewritten.layers == 0) return "";
    std::ostringstream row;
    row << kind << '\t' << kStrengths[strength] << '\t' << rewritten.layers << '\t'
        << rewritten.graph.NumParameters() << '\t' << MacsOf(rewritten.graph);
    for (const DType dtype : {DType::kF32, DType::kBF16})
      row << '\t' << Latency(rewritten.graph, dtype);
    const Graph repaired =
        RepairStatistics(original_, rewritten.graph, train_, primitives_, target_).graph;
    row << '\t' << FixedText(100 * Accuracy(rewritten.graph), 2) << '\t'
        << FixedText(100 * Accuracy(repaired), 2);
    return row.str();
  }

  double Accuracy(const Graph& graph) {
    Executor executor(DefaultPlan(graph, 100, DType::kF32, primitives_, target_), primitives_,
                      target_);
    return Evaluate(&executor, validation_).top1.value;
  }

 private:
  Plan PlanOf(const Graph& graph, DType dtype) {
    const LayerGraph layers = Lower(graph);
    std::vector<DType> precisions = {dtype};
    if (dtype != DType::kF32) precisions.push_back(DType::kF32);
    for (const LayerSpec& spec : LayersOf(layers, precisions)) store_.Require(spec);
    for (const LayerSpec& spec : ReordersOf(layers, precisions)) store_.Require(spec);
    const ReorderCosts reorders(&catalog_, store_.costs());
    const Selection selection =
        SelectPrimitives(layers, AllowedPrecisions(layers, {dtype}, precisions), &catalog_,
                         store_.costs(), reorders);
    return BuildPlan(layers, selection.choices, reorders, target_.threads);
  }

  // The median with its interval, and the original's over it; both in the same rounds.
  std::string Latency(const Graph& graph, DType dtype) {
    WritePlan(folder_ / "rewritten", PlanOf(graph, dtype));
    PlansRequest request;
    request.folders = {(folder_ / (dtype == DType::kF32 ? "original" : "original-bf16")).string(),
                       (folder_ / "rewritten").string()};
    request.threads = target_.threads;
    request.options.contender_budget = std::chrono::milliseconds(800);
    request.options.max_rounds = 1000;
    const PlansAnswer answer = MeasurePlans(&worker_, request);
    const auto& before = answer.plans[0].timing.measurement.latency_ms;
    const auto& after = answer.plans[1].timing.measurement.latency_ms;
    if (!before || !after) return "not measured\t";
    return IntervalText(*after, 1, 3) + "\t" + FixedText(before->value / after->value, 2);
  }

  std::filesystem::path folder_;
  const PrimitiveList primitives_ = PrimitiveList::All();
  const Target target_ = HostTarget(1);
  Graph original_;
  Dataset train_, validation_;
  WorkerClient worker_;
  ImplementationCatalog catalog_;
  CostDatabase database_;
  CostStore store_;
  Calibration calibration_;
};

std::map<std::string, std::string> RowsIn(const std::filesystem::path& file) {
  std::map<std::string, std::string> rows;
  std::ifstream in(file);
  for (std::string line; std::getline(in, line) && !in.eof();) {
    const size_t end = line.find('\t', line.find('\t') + 1);
    if (end != std::string::npos) rows[line.substr(0, end)] = line;
  }
  return rows;
}

std::string PageOf(const std::string& conditions, const std::vector<std::string>& rows) {
  std::string page =
      Text("# What each variant does to a whole network\n\n", conditions,
           "\n\n| variant | strength | layers | parameters | MACs | f32, ms | original over it | "
           "bf16, ms | original over it | top-1, % | with statistics repaired, % |\n"
           "|---|---|---|---|---|---|---|---|---|---|---|\n");
  for (std::string row : rows) {
    for (size_t at = 0; (at = row.find('\t', at)) != std::string::npos; at += 3) {
      row.replace(at, 1, " | ");
    }
    page += "| " + row + " |\n";
  }
  return page;
}

void Run(const std::vector<std::string>& arguments) {
  const std::filesystem::path folder = arguments[2];
  std::filesystem::create_directories(folder / "scratch");
  const std::filesystem::path file = folder / "measurements.tsv";
  std::map<std::string, std::string> known = RowsIn(file);
  Bench bench(arguments[0], arguments[1], folder, arguments[3]);
  const double accuracy = bench.Accuracy(bench.original());
  std::vector<std::string> rows;
  for (const VariantKind& kind : AllVariantKinds()) {
    const auto asked = std::find(arguments.begin() + 4, arguments.end(), kind.name);
    if (arguments.size() > 4 && asked == arguments.end()) continue;
    for (size_t strength = 0; strength < std::size(kStrengths); ++strength) {
      std::string& row = known[Text(kind.name, "\t", kStrengths[strength])];
      if (row.empty()) {
        std::cerr << kind.name << ", " << kStrengths[strength] << '\n';
        row = bench.Row(std::string(kind.name), strength);
        if (!row.empty()) std::ofstream(file, std::ios::app) << row << '\n';
      }
      if (!row.empty()) rows.push_back(row);
    }
  }
  const std::string page = PageOf(
      Text(
          "Model ", arguments[0], ", data ", arguments[1], ": ", bench.original().NumParameters(),
          " parameters, ", MacsOf(bench.original()), " MACs, ", FixedText(100 * accuracy, 2),
          " % on the validation images. Batch 1, one thread, the best primitives for each network; "
          "ratios are of medians of the same rounds.\nMade by:\n\n"
          "    build/release/tests/variant_table ",
          arguments[0], " ", arguments[1], " FOLDER build/release/bin/fettle"),
      rows);
  WriteFileAtomically(folder / "README.md", page);
  std::cout << page;
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 4) {
    std::cerr << "usage: variant_table MODEL.onnx DATA FOLDER FETTLE [KIND...]\n";
    return 2;
  }
  try {
    fettle::Run(arguments);
  } catch (const std::exception& error) {
    std::cerr << "variant_table: " << error.what() << '\n';
    return 3;
  }
  return 0;
}
