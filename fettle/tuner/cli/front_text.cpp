#include "fettle/tuner/cli/front_text.h"

#include <map>

#include "fettle/core/error.h"
#include "fettle/tuner/cli/console.h"
#include "fettle/tuner/fixed_text.h"

namespace fettle {
namespace {

// "9 layers pruned, 20 of 22 in bf16".
std::string Summary(const VerifiedPoint& point) {
  size_t pruned = 0;
  std::map<std::string, size_t> precisions;
  for (const LayerChange& change : point.changes) {
    if (!change.variant.empty()) ++pruned;
    ++precisions[change.precision];
  }
  std::string text;
  if (pruned > 0) text = Text(pruned, pruned == 1 ? " group" : " groups", " pruned");
  for (const auto& [precision, count] : precisions) {
    if (precision == "f32") continue;
    text.append(text.empty() ? "" : ", ")
        .append(Text(count, " of ", point.changes.size(), " layers in ", precision));
  }
  return text.empty() ? "primitives only" : text;
}

std::vector<std::string> Row(const VerifiedPoint& point, const VerifiedPoint& original) {
  const bool is_original = point.id == original.id;
  return {point.id,
          IntervalText(point.latency_ms, 1, 3),
          FixedText(original.latency_ms.value / point.latency_ms.value, 2).append("x"),
          FixedText(100 * point.accuracy.value, 2),
          is_original ? "" : IntervalText(point.drop, 1, 2),
          point.test_accuracy ? FixedText(100 * point.test_accuracy->value, 2) : "",
          BytesText(point.memory_bytes),
          point.energy_mj ? IntervalText(*point.energy_mj, 1, 3) : "not measured",
          BytesText(point.size_bytes),
          is_original ? "default primitives, f32" : Summary(point)};
}

}  // namespace

std::string FrontText(const Session& session) {
  if (!session.original()) return "nothing has been verified yet\n";
  const VerifiedPoint& original = *session.original();
  const bool is_agreement = session.settings().metric == "agreement";
  std::vector<std::vector<std::string>> rows = {
      {"id", "latency, ms [95 %]", "speed-up", is_agreement ? "agreement, %" : "validation, %",
       "drop, points [95 %]", is_agreement ? "test agreement, %" : "test, %", "memory",
       "energy, mJ", "size", "changes"}};
  rows.push_back(Row(original, original));
  for (const VerifiedPoint& point : FrontOf(session)) rows.push_back(Row(point, original));
  const char* const note =
      is_agreement ? "the data has no labels: agreement with the original's answers\n" : "";
  return TableText(rows) + note;
}

}  // namespace fettle
