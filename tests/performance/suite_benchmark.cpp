// Fettle against ONNX Runtime over the generated networks and the models given, in turns, at batch
// 1: per network and as geometric means over the generated ones.
//   suite_benchmark FETTLE FOLDER [--precisions f32,bf16] [--threads 1,2] [--rounds N]
//                   [--networks NAME,...] [MODEL.onnx ...]
// For each it runs `FETTLE bench MODEL --against onnxruntime --json`, which measures the network's
// layers first unless FOLDER/costs.db knows them. Every answer is kept in FOLDER/measurements.jsonl
// as it comes and not measured again when the command is run anew, so that Ctrl-C loses nothing;
// FOLDER/README.md has the tables of all that is known. The peer runs the same model, in f32; of
// NAME@SHARE (resnet50@0.9: that share of the weights of each convolution but the first is zero, at
// random) it runs the dense one.
#include <sys/wait.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <optional>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/statistics.h"
#include "fettle/device/fingerprint_host.h"
#include "fettle/device/host_environment.h"
#include "fettle/device/preflight.h"
#include "fettle/primitives/library_versions.h"
#include "fettle/tuner/fixed_text.h"
#include "tests/performance/benchmark_main.h"
#include "tests/performance/suite_record_json.h"
#include "tests/support/model_zoo.h"
#include "tests/support/sparse_model.h"

namespace fettle {
namespace {

struct Arguments {
  std::filesystem::path program, folder;
  std::vector<std::string> precisions = {"f32", "bf16"};
  std::vector<int> threads = {1, 2};
  std::vector<std::string> networks = ModelNames();
  std::vector<std::filesystem::path> models;
  int rounds = 31;
  std::string text;  // of all of them
};

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, ',');) parts.push_back(part);
  return parts;
}

int NumberFrom(const std::string& option, const std::string& text) {
  int number = 0;
  if (ParsePositive(text, &number)) return number;
  throw Error(ErrorKind::kUsage, Text(option, " ", text, ": a number is expected"));
}

Arguments Parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (const std::string& word : words) arguments.text += " " + word;
  std::vector<std::string> others;
  for (size_t i = 0; i < words.size(); ++i) {
    if (!words[i].starts_with("--")) {
      others.push_back(words[i]);
      continue;
    }
    if (i + 1 == words.size()) throw Error(ErrorKind::kUsage, words[i] + ": a value is missing");
    const std::string& option = words[i];
    const std::string& value = words[++i];
    if (option == "--precisions") {
      arguments.precisions = SplitAtCommas(value);
    } else if (option == "--networks") {
      arguments.networks = SplitAtCommas(value);
    } else if (option == "--rounds") {
      arguments.rounds = NumberFrom(option, value);
    } else if (option == "--threads") {
      arguments.threads.clear();
      for (const std::string& part : SplitAtCommas(value)) {
        arguments.threads.push_back(NumberFrom(option, part));
      }
    } else {
      throw Error(ErrorKind::kUsage, option + ": no such option");
    }
  }
  if (others.size() < 2) throw Error(ErrorKind::kUsage, "the program and a folder are needed");
  arguments.program = others[0];
  arguments.folder = others[1];
  arguments.models.assign(others.begin() + 2, others.end());
  return arguments;
}

std::string Quoted(const std::filesystem::path& path) {
  std::string text = "'";
  for (const char c : path.string()) text += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return text + "'";
}

// Files that go with it.
struct RemovedFiles {
  RemovedFiles() = default;
  RemovedFiles(const RemovedFiles&) = delete;
  RemovedFiles& operator=(const RemovedFiles&) = delete;
  ~RemovedFiles() {
    std::error_code ignored;
    for (const auto& path : paths) std::filesystem::remove(path, ignored);
  }

  std::vector<std::filesystem::path> paths;
};

// A network on disk, and what the peer runs instead where that is another.
struct ModelFiles {
  std::filesystem::path model, original;
  RemovedFiles generated;
};

void Generate(const std::string& name, const std::filesystem::path& folder, ModelFiles* files) {
  const size_t at = name.find('@');
  const std::string dense = MakeModel(name.substr(0, at), {});
  files->model = folder / (name + ".onnx");
  files->generated.paths = {files->model};
  if (at == std::string::npos) return WriteFileAtomically(files->model, dense);
  files->original = folder / (name.substr(0, at) + ".onnx");
  files->generated.paths.push_back(files->original);
  WriteFileAtomically(files->original, dense);
  const double share = std::stod(name.substr(at + 1));
  WriteFileAtomically(files->model, WithZeros(dense, {.sparsity = share}));
}

// What `fettle bench --json` answers.
std::string Bench(const Arguments& arguments, const Case& each, const ModelFiles& files) {
  const std::filesystem::path answer = arguments.folder / "bench.json";
  RemovedFiles at_the_end;
  at_the_end.paths = {answer};
  const std::string command = Text(
      Quoted(arguments.program), " bench ", Quoted(files.model),
      files.original.empty() ? "" : " --original ",
      files.original.empty() ? "" : Quoted(files.original), " --precision ", each.precision,
      " --threads ", each.threads, " --rounds ", arguments.rounds, " --db ",
      Quoted(arguments.folder / "costs.db"), " --against onnxruntime --json > ", Quoted(answer));
  const int status = std::system(command.c_str());
  if (WIFSIGNALED(status) || WEXITSTATUS(status) == static_cast<int>(ErrorKind::kInterrupted)) {
    throw Error(ErrorKind::kInterrupted, Text("stopped within: ", command));
  }
  if (WEXITSTATUS(status) != 0) throw Error(ErrorKind::kDevice, Text("this failed: ", command));
  return ReadFile(answer);
}

double LoadNow() {
  HostEnvironment environment;
  return TakePreflight(environment, 1).load.value_or(0);
}

Interval GeometricMean(const std::vector<Interval>& ratios) {
  Interval logs;
  for (const Interval& ratio : ratios) {
    logs.value += std::log(ratio.value);
    logs.low += std::log(ratio.low);
    logs.high += std::log(ratio.high);
  }
  const auto count = static_cast<double>(ratios.size());
  return {std::exp(logs.value / count), std::exp(logs.low / count), std::exp(logs.high / count)};
}

// The table of one precision and number of threads; empty where nothing of it is known.
std::string TableOf(const Record& record, const std::string& precision, int threads) {
  const std::vector<std::string> generated = ModelNames();
  std::string rows;
  std::vector<Interval> ratios;
  double least = 1e9;
  for (const auto& [each, outcome] : record.outcomes()) {
    if (each.precision != precision || each.threads != threads) continue;
    rows += Text("| ", each.network, " | ", IntervalText(outcome.ours, 1, 3), " | ",
                 IntervalText(outcome.theirs, 1, 3), " | ", IntervalText(outcome.ratio, 1, 2),
                 " | ", FixedText(outcome.default_ms / outcome.ours.value, 2), " | ",
                 FixedText(outcome.load, 1), " |\n");
    if (std::ranges::find(generated, each.network) == generated.end()) continue;
    ratios.push_back(outcome.ratio);
    least = std::min(least, outcome.ratio.value);
  }
  if (rows.empty()) return "";
  std::string text =
      Text("\n## ", precision, ", ", threads, threads == 1 ? " thread" : " threads",
           "\n\n| network | ours, ms | ONNX Runtime f32, ms | its time over ours | "
           "default primitives over ours | load before |\n|---|---|---|---|---|---|\n",
           rows);
  if (ratios.empty()) return text;
  return text + Text("| **geometric mean of ", ratios.size(), " generated** | | | **",
                     IntervalText(GeometricMean(ratios), 1, 3), "**, least ", FixedText(least, 2),
                     " | | |\n");
}

std::string PageOf(const Record& record, const std::string& arguments) {
  HostEnvironment environment;
  const Fingerprint device = HostFingerprint(environment, HostTarget(1), LibraryVersions());
  std::string page = "# Fettle against ONNX Runtime, network by network\n\n";
  page += Text("Batch 1, on ", device.cores, " cores of ", device.cpu_model, " (");
  for (const std::string& isa : device.isa) page += isa == device.isa[0] ? isa : ", " + isa;
  page += ")";
  const std::string core = BetterOpenblasCore(HostTarget(1));  // as `fettle` sets it
  for (const auto& [name, version] : device.libraries) {
    const bool is_told = name == "openblas" && !core.empty();
    page += Text(", ", name, " ",
                 is_told ? version.substr(0, version.find(' ')) + " " + core : version);
  }
  if (!record.outcomes().empty()) {
    page += Text(", ONNX Runtime ", record.outcomes().begin()->second.peer_version);
  }
  page +=
      ". Medians and their 95 % intervals; a round is some 50 ms of each side in turn, and a ratio "
      "that of a round. The interval of a geometric mean is that of the networks' bounds. "
      "NAME@SHARE is "
      "a network of which that share of the weights is zero, against the dense one. The last rows "
      "were made by:\n\n    build/release/tests/suite_benchmark" +
      arguments + "\n";
  std::set<std::pair<std::string, int>> tables;
  for (const auto& [each, outcome] : record.outcomes()) {
    tables.emplace(each.precision, each.threads);
  }
  for (const auto& [precision, threads] : tables) page += TableOf(record, precision, threads);
  return page;
}

void Run(const Arguments& arguments) {
  std::filesystem::create_directories(arguments.folder);
  Record record(arguments.folder / "measurements.jsonl");
  struct Network {
    std::string name;
    std::filesystem::path given;  // empty: generated
  };
  std::vector<Network> networks;
  for (const std::string& name : arguments.networks) networks.push_back({name, {}});
  for (const auto& model : arguments.models) networks.push_back({model.filename().string(), model});
  std::string failures;  // the other networks are measured all the same
  size_t done = 0;
  const size_t cases = networks.size() * arguments.precisions.size() * arguments.threads.size();
  for (const Network& network : networks) {
    ModelFiles files;
    files.model = network.given;
    for (const std::string& precision : arguments.precisions) {
      for (const int threads : arguments.threads) {
        const Case each{network.name, precision, threads};
        std::cerr << ++done << " of " << cases << ": " << each.network << ", " << precision << ", "
                  << threads << " thread(s)\n";
        if (record.Has(each)) continue;
        if (files.model.empty()) Generate(network.name, arguments.folder, &files);
        try {
          const double load = LoadNow();
          record.Add(each, load, Bench(arguments, each, files));
          WriteFileAtomically(arguments.folder / "README.md", PageOf(record, arguments.text));
        } catch (const Error& error) {
          if (error.kind() != ErrorKind::kDevice) throw;
          failures += Text("\n", error.what());
        }
      }
    }
  }
  WriteFileAtomically(arguments.folder / "README.md", PageOf(record, arguments.text));
  std::cout << PageOf(record, arguments.text);
  if (!failures.empty()) throw Error(ErrorKind::kDevice, "not all could be measured:" + failures);
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  int code = 0;
  try {
    fettle::Run(fettle::Parse({argv + 1, argv + argc}));
  } catch (const fettle::Error& error) {
    std::cerr << "suite_benchmark: " << error.what() << "\n";
    code = static_cast<int>(error.kind());
  } catch (const std::exception& error) {
    std::cerr << "suite_benchmark: " << error.what() << "\n";
    code = static_cast<int>(fettle::ErrorKind::kBadInput);
  }
  if (code == static_cast<int>(fettle::ErrorKind::kUsage)) {
    std::cerr << "usage: suite_benchmark FETTLE FOLDER [--precisions f32,bf16] [--threads 1,2] "
                 "[--rounds N] [--networks NAME[@SHARE],...] [MODEL.onnx ...]\n";
  }
  return code;
}
