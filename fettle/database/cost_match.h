#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "fettle/database/cost_record.h"

namespace fettle {

// What a layer's task costs on a device, asked of the database.
struct CostQuery {
  LayerTask task;
  Fingerprint fingerprint;  // of the device asked about, with its libraries
};

// How well a record answers a query; the better the earlier. Layer, implementation's name, layouts,
// threads and cache mode always agree: other ones are other numbers. What no record answers a cost
// model may predict. The names are persisted in reports: never change one.
enum class MatchQuality : uint8_t {
  kExact,         // this device, this version
  kOtherVersion,  // this device, another version of the implementation or of its library
  kOtherDevice,   // another device, whatever the version
  kNone,
};

std::string_view NameOf(MatchQuality quality);

struct CostMatch {
  MatchQuality quality = MatchQuality::kNone;
  std::optional<CostRecord> record;  // present unless the quality is kNone
};

// The library that an implementation's version depends on beside its own: its name up to the first
// stop, "onednn" for "onednn.conv:jit:avx2". Where a fingerprint's libraries do not list it (our
// own kernels) there is none.
std::string_view LibraryOf(std::string_view implementation);

// The quality with which one record answers the query, the task's agreement being taken for granted
// but for the version.
MatchQuality QualityOf(const CostRecord& record, const CostQuery& query);

// The record that answers best, in this order of preference:
//
// 1. its quality; where that is not exact, only records with a latency count, since that another
//    version or another device failed says nothing of this one;
// 2. the implementation's own version being the one asked for;
// 3. verdicts (ok, wrong_result, not_applicable) before unstable latencies, and these before
//    accidents (timed_out, crashed, failed), which another attempt may not meet;
// 4. the newest, of equal times the one given last.
CostMatch BestMatch(std::span<const CostRecord> candidates, const CostQuery& query);

}  // namespace fettle
