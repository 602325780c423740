#include "fettle/tuner/cost_store.h"

#include <algorithm>
#include <chrono>

#include "fettle/core/error.h"
#include "fettle/cost_models/way_text.h"
#include "fettle/database/cost_match.h"

namespace fettle {
namespace {

constexpr std::chrono::microseconds kBatch(500);
constexpr std::chrono::milliseconds kContenderBudget(8), kWarmUpBudget(4), kUsualPreparing(3);

// A layer has a dozen implementations and a network a hundred layers: a few tens of milliseconds
// each tell the good from the bad, and close contenders are told apart within the network.
TimingOptions LayerTiming() {
  TimingOptions options;
  options.relative_width = 0.05;
  options.max_rounds = 40;
  options.contender_budget = kContenderBudget;
  options.warm_up_budget = kWarmUpBudget;
  options.min_batch = kBatch;
  return options;
}

// What an implementation's budgets come to with its preparing; how often one too slow for them is
// run all the same; and the reference, which every layer is checked against.
constexpr double kSecondsOfAnImplementation =
    std::chrono::duration<double>(kContenderBudget + kWarmUpBudget + kUsualPreparing).count();
constexpr double kFewestRuns = 14;  // 6 samples, each after an untimed run, and the warm-up
constexpr double kReferenceSecondsOfAMac = 1e-8;

// Times that a layer's implementation is kept as seen in networks.
constexpr int kEnoughInNetwork = 9;

std::string TextOf(const LayerTask& task) {
  return WayText(task.key.text, task.implementation, task.version, task.inputs, task.output);
}

int64_t SecondsSince1970() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::seconds>(now).count();
}

}  // namespace

CostStore::CostStore(CostDatabase* database, WorkerClient* worker, ImplementationCatalog* catalog,
                     Description device, std::string who)
    : database_(database),
      worker_(worker),
      catalog_(catalog),
      device_(std::move(device)),
      who_(std::move(who)) {
  LoadRecords();
}

void CostStore::LoadRecords() {
  if (database_ == nullptr) return;
  CostFilter filter;
  filter.device = DeviceId(device_.fingerprint);
  filter.threads = catalog_->target().threads;
  filter.mode = CacheMode::kHot;
  for (const CostRecord& record : database_->Find(filter)) {
    const MatchQuality quality = QualityOf(record, {record.task, device_.fingerprint});
    if (quality == MatchQuality::kExact) {
      known_.Add(record);
      in_database_[record.task.key].push_back(record);
    } else {
      outdated_.insert(record.task.key.text + record.task.implementation);
    }
  }
}

CostRecord CostStore::RecordOf(const LayerSpec& spec, const Implementation& implementation,
                               const Timing& timing) const {
  CostRecord record;
  record.task.key = KeyOf(spec);
  record.task.implementation = implementation.name;
  record.task.version = implementation.version;
  record.task.inputs = implementation.inputs;
  record.task.output = implementation.output;
  record.task.threads = catalog_->target().threads;
  record.task.mode = timing.measurement.mode;
  record.measurement = timing.measurement;
  record.waited_ms = timing.waited_ms;
  record.provenance = {device_.fingerprint, SecondsSince1970(), who_};
  return record;
}

void CostStore::KeepInNetwork(const Plan& plan, const std::vector<StepTiming>& steps) {
  if (database_ == nullptr) return;
  if (!in_network_) {
    in_network_.emplace();
    for (const CostRecord& record : FindInNetwork()) ++(*in_network_)[TextOf(record.task)];
  }
  std::set<std::string> of_this_plan;
  std::vector<CostRecord> records;
  for (size_t i = 0; i < steps.size() && i < plan.steps.size(); ++i) {
    Timing timing;
    Measurement& measurement = timing.measurement;
    measurement.mode = CacheMode::kInNetwork;
    measurement.samples_ms = steps[i].samples_ms;
    measurement.latency_ms = MedianInterval(measurement.samples_ms);
    if (!measurement.latency_ms) continue;
    const Interval& latency = *measurement.latency_ms;
    const bool is_narrow =
        latency.high - latency.low <= LayerTiming().relative_width * latency.value;
    measurement.status = is_narrow ? MeasurementStatus::kOk : MeasurementStatus::kUnstable;
    CostRecord record = RecordOf(plan.steps[i].spec, plan.steps[i].implementation, timing);
    const std::string task = TextOf(record.task);
    if (!of_this_plan.insert(task).second || (*in_network_)[task] >= kEnoughInNetwork) continue;
    ++(*in_network_)[task];
    records.push_back(std::move(record));
  }
  database_->Insert(records);
}

std::vector<CostRecord> CostStore::FindInNetwork() const {
  std::vector<CostRecord> found;
  if (database_ == nullptr) return found;
  CostFilter filter;
  filter.device = DeviceId(device_.fingerprint);
  filter.threads = catalog_->target().threads;
  filter.mode = CacheMode::kInNetwork;
  for (CostRecord& record : database_->Find(filter)) {
    const MatchQuality quality = QualityOf(record, {record.task, device_.fingerprint});
    const bool counts = quality == MatchQuality::kExact && record.measurement.has_latency();
    if (counts) found.push_back(std::move(record));
  }
  return found;
}

bool CostStore::IsComplete(const LayerSpec& spec) const {
  for (const Implementation& implementation : catalog_->Of(spec)) {
    if (!known_.IsKnown(spec, implementation)) return false;
  }
  return true;
}

double CostStore::ReckonedSeconds(const LayerSpec& spec) const {
  double seconds = kReferenceSecondsOfAMac * static_cast<double>(MacsOf(spec));
  for (const Implementation& implementation : catalog_->Of(spec)) {
    const std::optional<Estimate> cost = costs_.Cost(spec, implementation);
    const double run = cost ? 1e-3 * cost->ms : 0;
    seconds += std::max(kSecondsOfAnImplementation, kFewestRuns * run);
  }
  return seconds;
}

void CostStore::Require(const LayerSpec& spec) {
  if (!required_.insert(KeyOf(spec)).second) return;
  for (const CostRecord& record : in_database_[KeyOf(spec)]) costs_.Add(record);
  LayerRequest request;
  request.spec = spec;
  request.threads = catalog_->target().threads;
  request.options = LayerTiming();
  for (const Implementation& implementation : catalog_->Of(spec)) {
    ++counts_.requested;
    if (costs_.IsKnown(spec, implementation)) {
      ++counts_.reused;
    } else {
      request.implementations.push_back(implementation);
    }
  }
  if (request.implementations.empty()) return;
  const LayerAnswer answer = worker_->MeasureLayer(request, WorkerClient::TimeoutOf(request));
  std::vector<CostRecord> records;
  for (size_t i = 0; i < answer.timings.size(); ++i) {
    records.push_back(RecordOf(spec, request.implementations[i], answer.timings[i]));
  }
  database_->Insert(records);
  for (const CostRecord& record : records) {
    known_.Add(record);
    costs_.Add(record);
    if (outdated_.contains(record.task.key.text + record.task.implementation)) {
      ++counts_.remeasured["another version"];
    } else {
      ++counts_.added;
    }
  }
}

}  // namespace fettle
