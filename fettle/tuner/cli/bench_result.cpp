#include "fettle/tuner/cli/bench_result.h"

#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/tuner/cli/console.h"
#include "fettle/tuner/interval_json.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

std::string RangeText(const Interval& interval, double scale, int digits) {
  return Text(FixedText(scale * interval.low, digits), ", ",
              FixedText(scale * interval.high, digits));
}

std::string AccuracyText(const BenchAccuracy& accuracy) {
  const auto share = [](const Interval& interval) {
    return Text(FixedText(100 * interval.value, 2), " % [", RangeText(interval, 100, 2), "]");
  };
  const std::string on =
      Text(accuracy.ours.samples, " images of ", accuracy.data, " (", accuracy.split, ")\n");
  if (!accuracy.ours.is_labelled) {
    const Comparison comparison = Compare(accuracy.original.value(), accuracy.ours);
    return Text("  agreement           ", share(comparison.agreement), ", with the original on ",
                on, "  KL divergence       ", FixedText(comparison.kl, 5), " nats\n");
  }
  std::string text = Text("  accuracy            ", share(accuracy.ours.top1), ", top-1 on ", on);
  if (!accuracy.original) return text;
  const Interval drop = ScoreOf(*accuracy.original, accuracy.ours).drop_points;
  return text + Text("  the original's      ", share(accuracy.original->top1),
                     "\n  drop                ", FixedText(drop.value, 2), " points [",
                     RangeText(drop, 1, 2), "], paired\n");
}

std::string PeerText(const PeerComparison& peer) {
  return Text("  ONNX Runtime ", peer.version, "  ", FixedText(peer.peer_ms.value, 4), " ms [",
              RangeText(peer.peer_ms, 1, 4), "], f32, the binding's ",
              FixedText(1000 * peer.binding_ms, 1), " us taken off\n  its time over ours  ",
              FixedText(peer.ratio.value, 2), "x [", RangeText(peer.ratio, 1, 2), "], ",
              peer.rounds, " turns\n");
}

Json ToJson(const BenchAccuracy& accuracy, const Evaluation& evaluation) {
  Json json = {{"data", accuracy.data}, {"split", accuracy.split}, {"samples", evaluation.samples}};
  json.update(fettle::ToJson(evaluation.top1));
  return json;
}

}  // namespace

std::string BenchText(const BenchTask& task, const BenchResult& result, bool with_layers) {
  const auto latency = [](const PlanTiming& plan) {
    const Interval& interval = *plan.timing.measurement.latency_ms;
    return Text(FixedText(interval.value, 4), " ms [", RangeText(interval, 1, 4), "]");
  };
  std::string text = Text(
      task.name, ", ", task.our_threads, " thread(s)",
      task.our_threads == task.threads ? std::string()
                                       : Text(" (default primitives and peer: ", task.threads, ")"),
      ", ", task.precision, "\n  chosen primitives   ", latency(result.plans.plans[0]),
      "\n  default primitives  ", latency(result.plans.plans[1]), '\n');
  if (result.peer) text += PeerText(*result.peer);
  if (result.accuracy) text += AccuracyText(*result.accuracy);
  if (!with_layers) return text;
  std::vector<std::vector<std::string>> rows = {{"layer", "primitive", "us"}};
  for (const StepTiming& step : result.plans.plans[0].steps) {
    rows.push_back({step.layer, step.implementation, FixedText(1000 * step.ms, 1)});
  }
  return text + "\n" + TableText(rows);
}

std::string BenchJson(const BenchTask& task, const BenchResult& result) {
  const std::vector<PlanTiming>& plans = result.plans.plans;
  Json json = {{"schema", 1},
               {"threads", task.threads},
               {"our_threads", task.our_threads},
               {"precision", task.precision}};
  json["latency_ms"] = LatencyJson(*plans[0].timing.measurement.latency_ms);
  json["default_latency_ms"] = LatencyJson(*plans[1].timing.measurement.latency_ms);
  json["memory_bytes"] = plans[0].planned_bytes();
  if (const std::optional<PeerComparison>& peer = result.peer) {
    json["against"] = {{"onnxruntime",
                        {{"version", peer->version},
                         {"latency_ms", LatencyJson(peer->peer_ms)},
                         {"our_latency_ms", LatencyJson(peer->our_ms)},
                         {"binding_ms", peer->binding_ms},
                         {"ratio", LatencyJson(peer->ratio)}}}};
  }
  if (const std::optional<BenchAccuracy>& accuracy = result.accuracy) {
    if (accuracy->ours.is_labelled) json["accuracy"] = ToJson(*accuracy, accuracy->ours);
    if (accuracy->original) {
      const Score score = ScoreOf(*accuracy->original, accuracy->ours);
      json["agreement"] = fettle::ToJson(score.comparison.agreement);
      json["kl"] = score.comparison.kl;
      if (accuracy->ours.is_labelled) {
        json["original_accuracy"] = ToJson(*accuracy, *accuracy->original);
      }
      json["accuracy_drop_points"] = fettle::ToJson(score.drop_points);
    }
  }
  json["layers"] = Json::array();
  for (const StepTiming& step : plans[0].steps) {
    json["layers"].push_back(
        {{"layer", step.layer}, {"primitive", step.implementation}, {"ms", step.ms}});
  }
  return json.dump(1) + "\n";
}

}  // namespace fettle
