#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <span>
#include <sstream>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/fnv1a.h"
#include "fettle/core/joined_text.h"
#include "fettle/device/energy_meter.h"
#include "fettle/device/host_environment.h"
#include "fettle/network/onnx/import.h"
#include "fettle/search/strategy_list.h"
#include "fettle/training/data/dataset_files.h"
#include "fettle/tuner/cli/commands.h"
#include "fettle/tuner/cli/data_help.h"
#include "fettle/tuner/cli/database_argument.h"
#include "fettle/tuner/cli/dry_run.h"
#include "fettle/tuner/cli/front_text.h"
#include "fettle/tuner/cli/interrupt.h"
#include "fettle/tuner/cli/options.h"
#include "fettle/tuner/cli/space_options.h"
#include "fettle/tuner/cli/threads_argument.h"
#include "fettle/tuner/local_worker.h"
#include "fettle/tuner/preprocessing_json.h"
#include "fettle/tuner/tuner.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

constexpr int64_t kCalibrationImages = 1000;
constexpr int64_t kRecoveryImages = 24'000;

class ConsoleObserver : public TuneObserver {
 public:
  explicit ConsoleObserver(Console& console) : console_(console) {}
  void Note(const std::string& line) override { console_.Note(line); }
  void Status(const std::string& line) override { console_.Status(line); }
  bool ShouldStop() override { return WasInterrupted(); }

 private:
  Console& console_;
};

std::vector<std::string> Strategies() {
  const std::vector<std::string_view> names = StrategyNames();
  return {names.begin(), names.end()};
}

void Declare(Options* options) {
  options->AddArgument("MODEL", "The trained model, an ONNX file.");
  options->AddValue("data", "DATA", kDataHelp);
  options->AddValue("device", "D", "Where to measure; only 'local', this machine, so far.");
  options->AddValue("objectives", "LIST",
                    "What is searched and what the front is of: any of latency, accuracy, memory "
                    "and energy (default latency,accuracy). Energy is measured by RAPL and "
                    "predicted in proportion to latency.");
  options->AddValue("budget", "TIME", "How long to take: 90s, 10m, 2h (default 10m).");
  options->AddValue("session", "DIR",
                    "Where the session is kept (default: MODEL's name with "
                    "-session).");
  options->AddFlag("resume", "Goes on with the session.");
  options->AddValue("db", "FILE", kDatabaseHelp);
  options->AddValue(
      "threads", "N",
      "Threads to deploy with at most, and no more than there are processors (default 1); "
      "half as many, and so on down to one, where that is faster.");
  options->AddValue("batch", "N", "The batch to deploy with (default 1).");
  options->AddValue("strategy", "S", Text("How to search: ", JoinedText(StrategyNames()), "."));
  options->AddValue("variants", "LIST",
                    Text("What may change in the structure: any of ", JoinedText(VariantNames()),
                         ", or none (default: all)."));
  options->AddValue("max-drop", "PTS", "Verify no candidate predicted to lose more points.");
  options->AddValue("seed", "N", "Of the search and of training (default 1).");
  options->AddFlag("dry-run", "Says what would be searched and measured, and does nothing else.");
  options->AddFlag("json", "Prints the front, or what --dry-run says, as JSON.");
}

// The worker on this machine will look in the same places.
void RequireMeter() {
  HostEnvironment environment;
  try {
    RequireEnergyMeter(environment);
  } catch (const Error& error) {
    throw Error(error.kind(), Text("--objectives energy: ", error.what(), "; leave energy out"));
  }
}

std::string HashOf(const std::string& bytes) {
  Fnv1a hash;
  hash.AddBytes(bytes);
  std::ostringstream out;
  out << std::hex << hash.value();
  return out.str();
}

Dataset Shuffled(const Dataset& dataset) {
  const std::vector<size_t> order = Random(1).Permutation(static_cast<size_t>(dataset.size()));
  return Subset(dataset, {order.begin(), order.end()});
}

TuningData LoadData(const std::string& text, uint64_t seed) {
  TuningData data;
  data.train =
      LoadDataset(ParseDataSpec(text, DataSplit::kTrain), DataSample{kRecoveryImages, seed});
  // Shuffled, so that the first images, by which a bad candidate is told, stand for all.
  data.validation = Shuffled(LoadDataset(ParseDataSpec(text, DataSplit::kValidation)));
  data.calibration = Sampled(data.validation, {kCalibrationImages, seed});
  data.test = LoadDataset(ParseDataSpec(text, DataSplit::kTest));
  return data;
}

// To look at alone, nothing is made: nothing where there is none.
std::optional<CostDatabase> OpenDatabase(const Options& options, bool is_dry, Console& console) {
  if (!is_dry) return OpenForMeasuring(options, console);
  const std::filesystem::path path = DatabaseArgument(options);
  if (!std::filesystem::exists(path)) return std::nullopt;
  return CostDatabase::Open(path, CostDatabase::Access::kReadOnly);
}

}  // namespace

int RunTune(std::span<const std::string> arguments, Console& console) {
  Options options(
      "tune MODEL.onnx --data DATA [--budget 10m] [--session DIR]",
      "Searches structure (channel pruning, decompositions, cheaper blocks), precision (f32, bf16) "
      "and primitives of a trained classifier against latency measured on this machine and "
      "accuracy "
      "measured on the data, and memory and energy if asked; recovers what it changes; ends with a "
      "Pareto front of verified configurations. Ctrl-C saves "
      "everything and --resume goes on.",
      {"fettle tune models/resnet20.onnx --data fashion-mnist --budget 5m --session session",
       "fettle front session", "fettle deploy session --pick knee --out deployed"});
  Declare(&options);
  if (!options.Parse(arguments)) {
    console.out() << options.Help();
    return 0;
  }
  if (!options.Has("data")) {
    throw Error(ErrorKind::kUsage, "--data is missing; see fettle tune --help");
  }
  if (options.Get("device", "local") != "local") {
    throw Error(ErrorKind::kUsage,
                Text("--device ", options.Get("device"), ": only 'local' can be measured so far"));
  }
  SessionSettings settings;
  if (options.Has("objectives")) settings.objectives = ParseObjectives(options.Get("objectives"));
  if (Contains(settings.objectives, Objective::kEnergy)) RequireMeter();
  settings.model = options.Get("MODEL");
  settings.model_hash = HashOf(ReadFile(settings.model));
  settings.data = options.Get("data");
  settings.threads = ThreadsFrom(options, 1);
  settings.batch = options.GetInteger("batch", 1, 1, 1 << 16);
  settings.seed = static_cast<uint64_t>(options.GetInteger("seed", 1, 0, INT64_MAX));
  settings.strategy = options.GetChoice("strategy", Strategies());
  settings.budget_seconds = options.GetSeconds("budget", 600);
  settings.max_drop_points = options.GetNumber("max-drop", 100, 0, 100);
  const std::filesystem::path folder =
      options.Get("session", std::filesystem::path(settings.model).stem().string() + "-session");

  const std::vector<std::string> kinds = VariantsOf(options);
  const bool resumes = options.Has("resume"), is_dry = options.Has("dry-run");
  if (!resumes && !is_dry) Session::RequireNone(folder);
  // The network's changes are those that the session began with, whatever the budget is now.
  const double budget_of_space =
      resumes ? Session::SettingsOf(folder).budget_seconds : settings.budget_seconds;

  ImportOptions import;
  import.batch = settings.batch;
  const Graph model = ImportOnnx(settings.model, import);
  const TuningData data = LoadData(settings.data, settings.seed);
  RequireFits(data.validation, model.value(model.inputs().at(0)).type.shape,
              model.value(model.outputs().at(0)).type.shape.back());

  settings.preprocessing = PreprocessingJson(data.validation);
  if (!data.validation.is_labelled()) {
    settings.metric = "agreement";
    console.Note(
        "note: the data has no labels; accuracy is the agreement with the original's answers");
  }

  const InterruptScope interrupts;
  WorkerClient worker(LocalWorker(OwnProgram()));
  const Description device = worker.Describe({settings.threads});
  settings.device = DeviceId(device.fingerprint);
  settings.device_name = device.fingerprint.cpu_model;
  for (const std::string& concern : ConcernsOf(device.preflight)) console.Note("note: " + concern);

  const PrimitiveList primitives = PrimitiveList::All();
  const Target target = HostTarget(settings.threads);
  ImplementationCatalog catalog(primitives, target);
  std::optional<CostDatabase> database = OpenDatabase(options, is_dry, console);
  CostStore store(database ? &*database : nullptr, &worker, &catalog, device,
                  Text("fettle tune, seed ", settings.seed));
  const TuningSpace space(model, SpaceOptions(model, kinds, budget_of_space, target, console));
  settings.space = space.Fingerprint();
  const CandidateCosts costs(space, &store, &catalog);
  if (is_dry) {
    PrintDryRun(space, costs, store, options.Has("json"), console);
    return 0;
  }

  Session session = resumes ? Session::Resume(folder, settings) : Session::Create(folder, settings);
  ConsoleObserver observer(console);
  Verifier verifier(&session, space, costs, data, &worker, primitives, target, &observer);
  Tuner tuner(&session, space, &store, costs, &verifier, &observer);
  console.Note(Text("session ", folder.string(), ": ", space.decisions().size(), " decisions, 10^",
                    FixedText(space.space().Log10NumCandidates(), 1), " candidates, on ",
                    settings.device_name, ", ", settings.threads, " thread(s), budget ",
                    SecondsText(settings.budget_seconds)));
  try {
    tuner.Run();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::kInterrupted) throw;
    throw Error(ErrorKind::kInterrupted,
                Text("interrupted; what was measured is saved in ", folder.string(),
                     ", the same command with --resume goes on"));
  }
  console.ClearStatus();

  const RecordCounts& counts = store.counts();
  Json records = {
      {"requested", counts.requested}, {"reused", counts.reused}, {"new", counts.added}};
  records["remeasured"] = Json::object();
  for (const auto& [reason, count] : counts.remeasured) records["remeasured"][reason] = count;
  session.AddNote("records", records.dump());
  if (options.Has("json")) {
    Json front = FrontJson(session);
    front["records"] = records;
    console.out() << front.dump(1) << '\n';
  } else {
    console.out() << FrontText(session);
    console.Note(Text("records: ", counts.requested, " requested, ", counts.reused,
                      " from the database, ", counts.added, " new"));
  }
  return 0;
}

}  // namespace fettle
