#include <nlohmann/json.hpp>

#include "fettle/tuner/interval_json.h"
#include "fettle/tuner/verified_point.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

Json AccuracyJson(const char* split, const Interval& interval) {
  Json json = {{"split", split}};
  json.update(ToJson(interval));
  return json;
}

std::optional<Interval> OptionalInterval(const Json& json, const char* name) {
  if (!json.contains(name) || json.at(name).is_null()) return std::nullopt;
  return IntervalFromJson(json.at(name));
}

}  // namespace

Json ToJson(const VerifiedPoint& point) {
  Json json = {{"id", point.id},
               {"verified", true},
               {"candidate", point.candidate},
               {"parent", point.parent},
               {"trained_steps", point.trained_steps},
               {"revision", point.revision},
               {"threads", point.threads},
               {"latency_ms", LatencyJson(point.latency_ms)},
               {"predicted_latency_ms", point.predicted_ms},
               {"predicted_loss", point.predicted_loss},
               {"accuracy", AccuracyJson("validation", point.accuracy)},
               {"accuracy_drop_points", ToJson(point.drop)},
               {"agreement", point.agreement},
               {"kl", point.kl}};
  if (point.predicted_drop) json["predicted_drop_points"] = *point.predicted_drop;
  json["test_accuracy"] =
      point.test_accuracy ? AccuracyJson("test", *point.test_accuracy) : Json(nullptr);
  json["test_accuracy_drop_points"] = point.test_drop ? ToJson(*point.test_drop) : Json(nullptr);
  json["memory_bytes"] = point.memory_bytes;
  if (point.measured_memory_bytes) json["measured_memory_bytes"] = *point.measured_memory_bytes;
  json["energy_mj"] = point.energy_mj ? ToJson(*point.energy_mj) : Json(nullptr);
  json["size_bytes"] = point.size_bytes;
  json["macs"] = point.macs;
  json["parameters"] = point.parameters;
  json["changes"] = Json::array();
  for (const LayerChange& change : point.changes) {
    json["changes"].push_back({{"layer", change.layer},
                               {"variant", change.variant},
                               {"precision", change.precision},
                               {"primitive", change.primitive}});
  }
  return json;
}

VerifiedPoint PointFromJson(const Json& json) {
  VerifiedPoint point;
  point.id = json.at("id").get<std::string>();
  point.candidate = json.at("candidate").get<std::string>();
  point.parent = json.at("parent").get<std::string>();
  point.trained_steps = json.at("trained_steps").get<int64_t>();
  point.revision = json.value("revision", int64_t{0});
  point.threads = json.value("threads", 1);
  point.latency_ms = IntervalFromJson(json.at("latency_ms"));
  point.predicted_ms = json.at("predicted_latency_ms").get<double>();
  point.predicted_loss = json.at("predicted_loss").get<double>();
  if (json.contains("predicted_drop_points")) {
    point.predicted_drop = json.at("predicted_drop_points").get<double>();
  }
  point.accuracy = IntervalFromJson(json.at("accuracy"));
  point.drop = IntervalFromJson(json.at("accuracy_drop_points"));
  point.agreement = json.at("agreement").get<double>();
  point.kl = json.value("kl", 0.0);
  point.test_accuracy = OptionalInterval(json, "test_accuracy");
  point.test_drop = OptionalInterval(json, "test_accuracy_drop_points");
  point.memory_bytes = json.at("memory_bytes").get<int64_t>();
  if (json.contains("measured_memory_bytes")) {
    point.measured_memory_bytes = json.at("measured_memory_bytes").get<int64_t>();
  }
  point.energy_mj = OptionalInterval(json, "energy_mj");
  point.size_bytes = json.at("size_bytes").get<int64_t>();
  point.macs = json.at("macs").get<int64_t>();
  point.parameters = json.at("parameters").get<int64_t>();
  for (const Json& change : json.at("changes")) {
    point.changes.push_back(
        {change.at("layer").get<std::string>(), change.at("variant").get<std::string>(),
         change.at("precision").get<std::string>(), change.at("primitive").get<std::string>()});
  }
  return point;
}

}  // namespace fettle
