#include "fettle/tuner/session_settings.h"

#include <nlohmann/json.hpp>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/joined_text.h"

namespace fettle {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kSchema = 1;

Json ToJson(const std::vector<Objective>& objectives) {
  Json names = Json::array();
  for (const Objective objective : objectives) names.push_back(NameOf(objective));
  return names;
}

// Sessions of before there was a choice have no such setting.
std::vector<Objective> ObjectivesFrom(const Json& settings) {
  if (!settings.contains("objectives")) return SessionSettings().objectives;
  const auto name_of = [](const Json& name) { return name.get<std::string>(); };
  return ParseObjectives(JoinedText(settings.at("objectives"), ",", name_of));
}

Json PreprocessingOf(const SessionSettings& settings) {
  return settings.preprocessing.empty() ? Json(nullptr) : Json::parse(settings.preprocessing);
}

Json ToJson(const SessionSettings& settings) {
  return {{"schema", kSchema},
          {"model", settings.model},
          {"model_hash", settings.model_hash},
          {"data", settings.data},
          {"device", settings.device},
          {"device_name", settings.device_name},
          {"threads", settings.threads},
          {"batch", settings.batch},
          {"seed", settings.seed},
          {"strategy", settings.strategy},
          {"space", settings.space},
          {"objectives", ToJson(settings.objectives)},
          {"metric", settings.metric},
          {"preprocessing", PreprocessingOf(settings)},
          {"budget_seconds", settings.budget_seconds},
          {"max_drop_points", settings.max_drop_points}};
}

}  // namespace

std::string SettingsText(const SessionSettings& settings) {
  return ToJson(settings).dump(1) + "\n";
}

SessionSettings ReadSettings(const std::filesystem::path& file) {
  try {
    const Json json = Json::parse(ReadFile(file));
    if (json.at("schema").get<int>() != kSchema) {
      throw BadInput(file.string(), ": schema ", json.at("schema").get<int>(),
                     ", this version reads ", kSchema, "; use the version that wrote it");
    }
    SessionSettings settings;
    settings.model = json.at("model").get<std::string>();
    settings.model_hash = json.at("model_hash").get<std::string>();
    settings.data = json.at("data").get<std::string>();
    settings.device = json.at("device").get<std::string>();
    settings.device_name = json.at("device_name").get<std::string>();
    settings.threads = json.at("threads").get<int>();
    settings.batch = json.at("batch").get<int64_t>();
    settings.seed = json.at("seed").get<uint64_t>();
    settings.strategy = json.at("strategy").get<std::string>();
    settings.space = json.value("space", "");
    settings.objectives = ObjectivesFrom(json);
    settings.metric = json.value("metric", settings.metric);
    if (json.contains("preprocessing") && json.at("preprocessing").is_object()) {
      settings.preprocessing = json.at("preprocessing").dump();
    }
    settings.budget_seconds = json.at("budget_seconds").get<double>();
    settings.max_drop_points = json.at("max_drop_points").get<double>();
    return settings;
  } catch (const Json::exception& error) {
    throw BadInput(file.string(), ": ", error.what());
  }
}

std::optional<std::string> DifferenceOf(const SessionSettings& was, SessionSettings is) {
  is.budget_seconds = was.budget_seconds;
  is.model = was.model;  // the file may have moved; its hash counts
  is.device_name = was.device_name;
  if (was.preprocessing.empty()) is.preprocessing.clear();
  const Json before = ToJson(was), now = ToJson(is);
  for (const auto& [name, value] : before.items()) {
    if (now.at(name) != value && name == "space") {
      return Text("what may change in the network differs (space was ", value.dump(), " and is ",
                  now.at(name).dump(),
                  "): give the same --variants; one of another version cannot be resumed");
    }
    if (now.at(name) != value) {
      return Text(name, " was ", value.dump(), " and is ", now.at(name).dump());
    }
  }
  return std::nullopt;
}

}  // namespace fettle
