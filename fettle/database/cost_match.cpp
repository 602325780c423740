#include "fettle/database/cost_match.h"

#include <array>
#include <cassert>
#include <tuple>

namespace fettle {
namespace {

bool SameLibrary(const CostRecord& record, const CostQuery& query) {
  const std::string library(LibraryOf(record.task.implementation));
  const auto& theirs = record.provenance.fingerprint.libraries;
  const auto& ours = query.fingerprint.libraries;
  const auto their_version = theirs.find(library);
  const auto our_version = ours.find(library);
  if (their_version == theirs.end() || our_version == ours.end()) {
    return (their_version == theirs.end()) == (our_version == ours.end());
  }
  return their_version->second == our_version->second;
}

int StatusRank(MeasurementStatus status) {
  switch (status) {
    case MeasurementStatus::kOk:
    case MeasurementStatus::kWrongResult:
    case MeasurementStatus::kNotApplicable:
      return 0;
    case MeasurementStatus::kUnstable:
      return 1;
    case MeasurementStatus::kTimedOut:
    case MeasurementStatus::kCrashed:
    case MeasurementStatus::kFailed:
      break;
  }
  return 2;
}

// The smaller the better; ~ reverses the order of times as - would, for every time.
auto Rank(const CostRecord& record, const CostQuery& query) {
  return std::tuple(QualityOf(record, query), record.task.version != query.task.version,
                    StatusRank(record.measurement.status), ~record.provenance.time);
}

}  // namespace

std::string_view NameOf(MatchQuality quality) {
  constexpr std::array<std::string_view, 4> kNames = {"exact", "other_version", "other_device",
                                                      "none"};
  const auto index = static_cast<size_t>(quality);
  assert(index < kNames.size());
  return kNames[index];
}

std::string_view LibraryOf(std::string_view implementation) {
  return implementation.substr(0, implementation.find('.'));
}

MatchQuality QualityOf(const CostRecord& record, const CostQuery& query) {
  if (DeviceId(record.provenance.fingerprint) != DeviceId(query.fingerprint)) {
    return MatchQuality::kOtherDevice;
  }
  const bool is_same = record.task.version == query.task.version && SameLibrary(record, query);
  return is_same ? MatchQuality::kExact : MatchQuality::kOtherVersion;
}

CostMatch BestMatch(std::span<const CostRecord> candidates, const CostQuery& query) {
  const CostRecord* best = nullptr;
  for (const CostRecord& record : candidates) {
    if (QualityOf(record, query) != MatchQuality::kExact && !record.measurement.has_latency()) {
      continue;
    }
    if (best == nullptr || Rank(record, query) <= Rank(*best, query)) best = &record;
  }
  if (best == nullptr) return {};
  return {QualityOf(*best, query), *best};
}

}  // namespace fettle
