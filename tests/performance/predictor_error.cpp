// How far the predictor of layers never measured is off, by a cost database with many measured
// layers: each layer is predicted from all others. Writes FOLDER/README.md; takes seconds, and may
// be run again at any time, also while a session adds to the database.
//   predictor_error COSTS.db FOLDER THREADS [NOTE...]     the notes are lines of the page
#include "fettle/cost_models/predictor_error.h"

#include <filesystem>
#include <iostream>
#include <map>
#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/database/cost_database.h"

namespace fettle {
namespace {

// Of the device with the most records.
std::vector<CostRecord> RecordsOf(const CostDatabase& database, int threads) {
  CostFilter filter;
  filter.threads = threads;
  filter.mode = CacheMode::kHot;
  std::map<std::string, std::vector<CostRecord>> of_device;
  for (CostRecord& record : database.Find(filter)) {
    of_device[DeviceId(record.provenance.fingerprint)].push_back(std::move(record));
  }
  std::vector<CostRecord> most;
  for (auto& [device, records] : of_device) {
    if (records.size() > most.size()) most = std::move(records);
  }
  if (most.empty()) {
    throw BadInput(database.path().string(), ": no layer was measured with ", threads,
                   " thread(s); run fettle tune or fettle bench with this database first");
  }
  return most;
}

std::string Conditions(const std::vector<CostRecord>& records) {
  int64_t unstable = 0, told = 0, timed = 0;
  double waited = 0, ran = 0;
  std::string libraries;
  for (const CostRecord& record : records) {
    unstable += record.measurement.status == MeasurementStatus::kUnstable ? 1 : 0;
    timed += record.measurement.has_latency() ? 1 : 0;
    if (!record.waited_ms || !record.measurement.has_latency()) continue;
    ++told;
    waited += *record.waited_ms;
    ran += record.measurement.latency_ms->value;
  }
  const Fingerprint& device = records.back().provenance.fingerprint;
  for (const auto& [name, version] : device.libraries) {
    libraries += Text(libraries.empty() ? "" : ", ", name, " ", version);
  }
  const int64_t share = 100 * unstable / static_cast<int64_t>(records.size());
  std::string text =
      Text("Device: ", device.cpu_model, ", ", device.cores, " processors", ", governor ",
           device.governor.empty() ? "unknown" : device.governor, "; ", libraries, "; ",
           records[0].task.threads, " thread(s).\n\n", records.size(), " records, of which ", timed,
           " have the six samples that they need to count here;\n", share,
           " % are unstable (the median's interval wider than asked for).");
  if (told > 0 && ran > 0) {
    text += Text(" Threads stood in run\nqueues for ", static_cast<int>(100 * waited / ran),
                 " % of the time they took.");
  }
  return text;
}

void Write(const std::vector<std::string>& arguments) {
  const std::filesystem::path folder = arguments[1];
  const CostDatabase database = CostDatabase::Open(arguments[0], CostDatabase::Access::kReadOnly);
  const std::vector<CostRecord> records = RecordsOf(database, std::stoi(arguments[2]));
  std::string page = Text(
      "# The predictor's error\n\nEach measured layer, predicted from all other layers as if "
      "it had never been measured; the\nerror is |predicted / measured - 1|.\n\n",
      MarkdownOf(LeaveOneLayerOut(records)), "\n", Conditions(records), "\n");
  for (size_t i = 3; i < arguments.size(); ++i) page += Text("\n", arguments[i], "\n");
  page += "\nMade by:\n\n    build/release/tests/predictor_error COSTS.db FOLDER " + arguments[2] +
          " NOTE...\n";
  std::filesystem::create_directories(folder);
  WriteFileAtomically(folder / "README.md", page);
  std::cout << page;
}

}  // namespace
}  // namespace fettle

int main(int argc, char** argv) {
  const std::vector<std::string> arguments(argv + 1, argv + argc);
  if (arguments.size() < 3 || arguments[2].find_first_not_of("0123456789") != std::string::npos) {
    std::cerr << "usage: predictor_error COSTS.db FOLDER THREADS [NOTE...]\n";
    return 2;
  }
  try {
    fettle::Write(arguments);
  } catch (const std::exception& error) {
    std::cerr << "predictor_error: " << error.what() << '\n';
    return 3;
  }
  return 0;
}
