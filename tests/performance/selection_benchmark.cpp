// How long the choice of primitives takes on real networks (the zoo's), with every primitive as an
// option, f32 and bf16; and how many candidates of a design space are scored a second. Prints
// tables; asserts nothing.
//
//   selection_benchmark [MODEL.onnx]     the space's model: models/resnet20.onnx
//
// The costs are made up, but plausible: what a layer should take by its arithmetic and memory
// traffic, times a factor of the implementation and of the layer drawn by their names. They stand
// in a cost database of the run's own, as measurements, so that everything behind them is real.

#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/random.h"
#include "fettle/cost_models/primitive_selection.h"
#include "fettle/cost_models/reckoned_cost.h"
#include "fettle/deploy/lower.h"
#include "fettle/network/onnx/import.h"
#include "fettle/runtime/precision.h"
#include "fettle/tuner/candidate_costs.h"
#include "fettle/tuner/candidate_search.h"
#include "fettle/tuner/variant_screen.h"
#include "tests/support/model_zoo.h"

namespace fettle {
namespace {

constexpr DType kBoth[] = {DType::kF32, DType::kBF16};

double PlausibleMs(const LayerSpec& spec, const Implementation& implementation,
                   const Target& target) {
  std::string name = implementation.name;
  for (const Layout layout : implementation.inputs) name.append(" ").append(NameOf(layout));
  name.append(" ").append(NameOf(implementation.output));
  Random of_name = Random(1).Fork(name), of_both = Random(2).Fork(name + KeyOf(spec).text);
  const double precision = spec.output.dtype == DType::kBF16 ? 0.6 : 1;
  return precision * ReckonedMs(spec, target) * of_name.Uniform(1, 3) * of_both.Uniform(0.8, 1.25);
}

class PlausibleCosts : public LayerCosts {
 public:
  explicit PlausibleCosts(const Target& target) : target_(target) {}
  std::optional<Estimate> Cost(const LayerSpec& spec,
                               const Implementation& implementation) const override {
    const double ms = PlausibleMs(spec, implementation, target_);
    return Estimate{ms, ms, ms, EstimateOrigin::kMeasured};
  }

 private:
  Target target_;
};

// Of the processor, for this thread: what a machine's other users take does not count.
double Seconds(const std::function<void()>& work) {
  const auto now = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return static_cast<double>(time.tv_sec) + 1e-9 * static_cast<double>(time.tv_nsec);
  };
  const double start = now();
  work();
  return now() - start;
}

double Quantile(std::vector<double> values, double q) {
  std::ranges::sort(values);
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

std::string Spread(const std::vector<double>& values, double unit) {
  char text[96];
  std::snprintf(text, sizeof text, "%8.3f (%7.3f ..%8.3f)", unit * Quantile(values, 0.5),
                unit * Quantile(values, 0.05), unit * Quantile(values, 0.95));
  return text;
}

// The layers of several networks, one behind the other, each copy with an input of its own.
LayerGraph Joined(const std::vector<LayerGraph>& parts) {
  LayerGraph all;
  for (const LayerGraph& part : parts) {
    const auto offset = static_cast<TensorId>(all.tensors.size());
    all.tensors.insert(all.tensors.end(), part.tensors.begin(), part.tensors.end());
    for (Layer layer : part.layers) {
      layer.name = Text(layer.name, "@", offset);
      for (TensorId& id : layer.inputs) id += offset;
      layer.output += offset;
      all.layers.push_back(std::move(layer));
    }
    for (const TensorId id : part.inputs) all.inputs.push_back(id + offset);
    for (const TensorId id : part.outputs) all.outputs.push_back(id + offset);
  }
  return all;
}

void ReportNetwork(const std::string& name, const LayerGraph& graph,
                   ImplementationCatalog* catalog) {
  const PlausibleCosts costs(catalog->target());
  const ReorderCosts reorders(catalog, costs);
  const auto precisions = AllowedPrecisions(graph, {std::begin(kBoth), std::end(kBoth)},
                                            {std::begin(kBoth), std::end(kBoth)});
  size_t options = 0;
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    for (const DType dtype : precisions[i]) {
      options += catalog->Of(AtPrecision(graph.layers[i].spec, dtype)).size();
    }
  }
  Selection selection;
  LayerOptions lists(catalog, costs);
  std::optional<PrimitiveSelector> selector;
  std::vector<double> first, whole, change;
  for (int i = 0; i < 7; ++i) {
    first.push_back(Seconds([&] {
      const ReorderCosts fresh(catalog, costs);
      selection = SelectPrimitives(graph, precisions, catalog, costs, fresh);
    }));
  }
  for (int i = 0; i < 21; ++i) {
    whole.push_back(Seconds([&] {
      selector.emplace(graph, precisions, &lists, reorders);
      selection = selector->Select();
    }));
  }
  bool is_same = true;
  for (size_t i = 0; i < graph.layers.size(); ++i) {
    if (precisions[i].size() < 2) continue;
    for (const std::vector<DType>& now : {std::vector<DType>{precisions[i][0]}, precisions[i]}) {
      Selection changed;
      change.push_back(Seconds([&] {
        selector->SetPrecisions(i, now);
        changed = selector->Select();
      }));
      is_same = is_same && (now.size() == 1 || changed.choices == selection.choices);
    }
  }
  std::printf("%-16s %6zu %7.1f %s %s %s  %s, %.6f ms%s\n", name.c_str(), graph.layers.size(),
              static_cast<double>(options) / static_cast<double>(graph.layers.size()),
              Spread(first, 1e3).c_str(), Spread(whole, 1e3).c_str(), Spread(change, 1e3).c_str(),
              selection.exact ? "exact" : "not exact", selection.predicted_ms,
              is_same ? "" : "; NOT the same after changing and changing back");
}

// --- Candidates ---

class Silence : public TuneObserver {
 public:
  void Note(const std::string&) override {}
  void Status(const std::string&) override {}
  bool ShouldStop() override { return false; }
};

CostRecord PlausibleRecord(const LayerSpec& spec, const Implementation& implementation,
                           const Target& target) {
  CostRecord record;
  record.task.key = KeyOf(spec);
  record.task.implementation = implementation.name;
  record.task.version = implementation.version;
  record.task.inputs = implementation.inputs;
  record.task.output = implementation.output;
  record.task.threads = target.threads;
  const double ms = PlausibleMs(spec, implementation, target);
  record.measurement.status = MeasurementStatus::kOk;
  record.measurement.samples_ms.assign(6, ms);
  record.measurement.latency_ms = Interval{ms, ms, ms};
  record.measurement.workspace_bytes = ElementCount(spec.output) / 4;
  return record;
}

std::map<std::string, double> PlausibleSensitivities(const TuningSpace& space) {
  std::map<std::string, double> sensitivities;
  Random random(3);
  for (size_t i = 0; i < space.decisions().size(); ++i) {
    for (int option = 1; option < space.space().decisions()[i].num_options; ++option) {
      sensitivities[CandidateText(SingleChange(space.space(), i, option))] =
          0.02 * option * random.Uniform();
    }
  }
  return sensitivities;
}

void ReportSearch(const std::string& name, const TuningSpace& space, ImplementationCatalog* catalog,
                  const std::filesystem::path& folder) {
  std::filesystem::remove_all(folder);
  CostDatabase database = CostDatabase::Open(folder / "costs.db", CostDatabase::Access::kReadWrite);
  std::vector<LayerSpec> specs;
  {
    CostStore nothing(nullptr, nullptr, catalog, {}, "benchmark");
    const CandidateCosts costs(space, &nothing, catalog);
    specs = costs.ReordersToMeasure();
    for (LayerSpec& spec : costs.LayersToMeasure()) specs.push_back(std::move(spec));
  }
  std::vector<CostRecord> records;
  for (const LayerSpec& spec : specs) {
    for (const Implementation& implementation : catalog->Of(spec)) {
      records.push_back(PlausibleRecord(spec, implementation, catalog->target()));
    }
  }
  database.Insert(records);
  CostStore store(&database, nullptr, catalog, {}, "benchmark");
  for (const LayerSpec& spec : specs) store.Require(spec);
  const CandidateCosts costs(space, &store, catalog);
  const std::map<std::string, double> sensitivities = PlausibleSensitivities(space);

  CandidateSearchOptions options;
  options.strategy = "nsga2";
  options.objectives = {Objective::kLatency, Objective::kAccuracy, Objective::kMemory};
  Silence silence;
  std::vector<double> rates;
  double ms = 0, megabytes = 0;
  size_t found = 0;
  for (int round = 0; round < 6; ++round) {
    options.seed = static_cast<uint64_t>(round + 1);
    std::vector<PredictedCandidate> front;
    const double seconds =
        Seconds([&] { front = SearchCandidates(space, costs, sensitivities, options, &silence); });
    // The first is for the caches: libraries asked, layers met for the first time.
    if (round == 0)
      std::printf("%-20s first %7.0f/s\n", name.c_str(), options.evaluations / seconds);
    if (round > 0) rates.push_back(static_cast<double>(options.evaluations) / seconds);
    for (const PredictedCandidate& candidate : front) {
      ms += candidate.ms;
      megabytes += 1e-6 * static_cast<double>(candidate.memory_bytes);
      ++found;
    }
  }
  std::printf("%-20s %3zu decisions, %s candidates/s; on fronts %zu, sums %.6f ms %.6f MB\n",
              name.c_str(), space.decisions().size(), Spread(rates, 1).c_str(), found, ms,
              megabytes);
}

void Run(const std::string& model) {
  const PrimitiveList primitives = PrimitiveList::All();
  ImplementationCatalog catalog(primitives, HostTarget(1));
  std::printf(
      "(a) from nothing, (b) after the allowed precisions of one layer have changed; "
      "milliseconds,\n"
      "median (5 %% .. 95 %%)\n%-16s %6s %7s %-29s %-29s %-29s\n",
      "", "layers", "options", "(a) first meeting the layers", "(a) knowing their options", "(b)");
  const auto lowered = [](const std::string& name) {
    const std::string file = MakeModel(name);
    return Lower(ImportOnnxBytes(std::as_bytes(std::span(file)), name), {.shapes_only = true});
  };
  for (const char* name : {"resnet20", "googlenet", "mobilenet_v2", "densenet121", "wrn_40_2"}) {
    ReportNetwork(name, lowered(name), &catalog);
  }
  ReportNetwork("wrn_40_2 x 5", Joined(std::vector<LayerGraph>(5, lowered("wrn_40_2"))), &catalog);
  std::printf("(c) candidates of %s: latency, memory and accuracy predicted, NSGA-II\n",
              model.c_str());
  const Graph network = ImportOnnx(model);
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / "fettle_selection_benchmark";
  ReportSearch("widths, precisions", TuningSpace(network, {}), &catalog, folder);
  TuningSpaceOptions options;
  VariantScreenOptions screen;
  screen.kinds = {"svd", "spatial_svd", "tucker2", "group", "bottleneck", "drop"};
  options.variants = ScreenVariants(network, catalog.target(), screen);
  ReportSearch("and variants", TuningSpace(network, options), &catalog, folder);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  try {
    fettle::Run(argc > 1 ? argv[1] : "models/resnet20.onnx");
  } catch (const fettle::Error& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
