#include "fettle/tuner/cli/front_text.h"

#include <map>
#include <set>

#include "fettle/core/error.h"
#include "fettle/tuner/cli/console.h"
#include "fettle/tuner/fixed_text.h"
#include "fettle/tuner/layer_entry.h"

namespace fettle {
namespace {

void Append(const std::string& part, std::string* text) {
  text->append(text->empty() ? "" : ", ").append(part);
}

void AppendCount(size_t count, const char* one, const char* more, std::string* text) {
  if (count > 0) Append(Text(count, " ", count == 1 ? one : more), text);
}

// "4 groups pruned, 2 layers rewritten, 1 block dropped, 20 of 22 layers in bf16".
std::string Summary(const VerifiedPoint& point, const VerifiedPoint& original) {
  std::set<std::string> originals;
  for (const LayerChange& change : original.changes) originals.insert(change.layer);
  std::map<std::string, std::string> variants;
  for (const LayerChange& change : point.changes) {
    if (!change.variant.empty()) variants[change.layer] = change.variant;
  }
  size_t pruned = 0, rewritten = 0, dropped = 0;
  for (const auto& [layer, variant] : variants) {
    const std::string* const whole =
        originals.contains(layer)
            ? nullptr
            : EntryOfLayer(variants, layer.substr(0, layer.rfind('.')), originals);
    const bool is_part = layer.find('.') != std::string::npos && whole != nullptr;
    if (is_part && *whole == variant) continue;  // "conv.1" beside "conv"
    const bool is_pruned = variant.starts_with("prune("), is_dropped = variant == "drop()";
    pruned += is_pruned ? 1 : 0;
    dropped += is_dropped ? 1 : 0;
    rewritten += !is_dropped && (!is_pruned || variant.find(' ') != std::string::npos) ? 1 : 0;
  }
  std::map<std::string, size_t> precisions;  // of what computes
  size_t layers = 0;
  for (const LayerChange& change : point.changes) {
    if (change.precision.empty()) continue;
    ++precisions[change.precision];
    ++layers;
  }
  std::string text;
  AppendCount(pruned, "group pruned", "groups pruned", &text);
  AppendCount(rewritten, "layer rewritten", "layers rewritten", &text);
  AppendCount(dropped, "block dropped", "blocks dropped", &text);
  for (const auto& [precision, count] : precisions) {
    if (precision != "f32") Append(Text(count, " of ", layers, " layers in ", precision), &text);
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
          is_original ? "default primitives, f32" : Summary(point, original)};
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
