#include "fettle/tuner/interval_json.h"

#include <nlohmann/json.hpp>

namespace fettle {

using Json = nlohmann::ordered_json;

Json ToJson(const Interval& interval) {
  return {{"value", interval.value}, {"low", interval.low}, {"high", interval.high}};
}

Json LatencyJson(const Interval& interval) {
  return {{"median", interval.value}, {"low", interval.low}, {"high", interval.high}};
}

Interval IntervalFromJson(const Json& json) {
  const char* value = json.contains("median") ? "median" : "value";
  return {json.at(value).get<double>(), json.at("low").get<double>(),
          json.at("high").get<double>()};
}

}  // namespace fettle
