#include "fettle/tuner/session.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <cstring>
#include <nlohmann/json.hpp>
#include <utility>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/core/joined_text.h"
#include "fettle/search/pareto_front.h"

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

SessionSettings SettingsFrom(const std::filesystem::path& file) {
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

[[noreturn]] void FailOn(const std::filesystem::path& file) {
  throw BadInput(file.string(), ": ", std::strerror(errno));
}

// A point's id names a folder, which may be removed: it must not lead out of the session.
void RequireSafeId(const std::string& id, const std::filesystem::path& file, size_t line) {
  const bool is_safe =
      !id.empty() && std::ranges::all_of(id, [](unsigned char c) { return std::isalnum(c) != 0; });
  if (!is_safe) {
    throw BadInput(file.string(), ": line ", line, ": a point's id is of letters and digits, not '",
                   id, "'");
  }
}

// The first setting that differs from those of the session, or nothing.
std::optional<std::string> Difference(const SessionSettings& was, SessionSettings is) {
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

}  // namespace

Session::Session(std::filesystem::path folder, SessionSettings settings)
    : folder_(std::move(folder)), settings_(std::move(settings)) {}

Session::Session(Session&& other) noexcept
    : folder_(std::move(other.folder_)),
      settings_(std::move(other.settings_)),
      log_(std::exchange(other.log_, -1)),
      lock_(std::exchange(other.lock_, -1)),
      sensitivities_(std::move(other.sensitivities_)),
      sensitivity_steps_(other.sensitivity_steps_),
      original_(std::move(other.original_)),
      points_(std::move(other.points_)),
      beaten_(std::move(other.beaten_)) {}

Session::~Session() {
  if (log_ >= 0) close(log_);
  if (lock_ >= 0) close(lock_);
}

void Session::RequireNone(const std::filesystem::path& folder) {
  if (std::filesystem::exists(folder / "settings.json")) {
    throw BadInput(folder.string(),
                   ": holds a session already; go on with --resume or name another --session");
  }
}

SessionSettings Session::SettingsOf(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "settings.json")) {
    throw BadInput(folder.string(), ": no session to resume; leave --resume out to begin one");
  }
  return SettingsFrom(folder / "settings.json");
}

Session Session::Create(const std::filesystem::path& folder, const SessionSettings& settings) {
  RequireNone(folder);
  std::error_code fault;
  std::filesystem::create_directories(folder / "candidates", fault);
  if (fault) {
    throw BadInput(folder.string(), ": cannot be made (", fault.message(),
                   "); name another --session");
  }
  Session session(folder, settings);
  session.Lock();
  WriteFileAtomically(folder / "settings.json", ToJson(settings).dump(1) + "\n");
  return session;
}

Session Session::Resume(const std::filesystem::path& folder, const SessionSettings& settings) {
  Session session(folder, SettingsOf(folder));
  if (const auto difference = Difference(session.settings_, settings)) {
    throw BadInput(folder.string(), ": cannot be resumed with other settings: ", *difference);
  }
  session.settings_.budget_seconds = settings.budget_seconds;
  session.Lock();
  session.ReadLog();
  session.RemoveOrphans();
  return session;
}

Session Session::Read(const std::filesystem::path& folder) {
  if (!std::filesystem::exists(folder / "settings.json")) {
    throw BadInput(folder.string(),
                   ": no session (it has no settings.json); give the folder that "
                   "'fettle tune' wrote");
  }
  Session session(folder, SettingsFrom(folder / "settings.json"));
  session.ReadLog();
  return session;
}

std::filesystem::path Session::FolderOf(const VerifiedPoint& point) const {
  if (point.id == "original") return folder_ / point.id;
  const std::string revision = point.revision == 0 ? "" : Text(".", point.revision);
  return folder_ / "candidates" / (point.id + revision);
}

void Session::Lock() {
  const std::filesystem::path lock = folder_ / "lock", log = folder_ / "log.jsonl";
  lock_ = open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock_ < 0) FailOn(lock);
  if (flock(lock_, LOCK_EX | LOCK_NB) != 0) {
    throw BadInput(folder_.string(), ": another process works on this session; wait for its end");
  }
  log_ = open(log.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (log_ < 0) FailOn(log);
}

void Session::ReadLog() {
  const std::filesystem::path file = folder_ / "log.jsonl";
  if (!std::filesystem::exists(file)) return;
  const std::string text = ReadFile(file);
  size_t begin = 0, number = 0;
  for (size_t end; (end = text.find('\n', begin)) != std::string::npos; begin = end + 1) {
    ++number;
    try {
      const Json json = Json::parse(text.substr(begin, end - begin));
      const auto event = json.at("event").get<std::string>();
      if (event == "sensitivity") {
        KeepSensitivity(json.at("candidate").get<std::string>(), json.at("loss").get<double>(),
                        json.value("steps", int64_t{0}));
      } else if (event == "beaten") {
        beaten_.insert(json.at("candidate").get<std::string>());
      } else if (event == "original") {
        original_ = PointFromJson(json.at("point"));
      } else if (event == "point") {
        const VerifiedPoint point = PointFromJson(json.at("point"));
        RequireSafeId(point.id, file, number);
        std::erase_if(points_, [&](const VerifiedPoint& other) { return other.id == point.id; });
        points_.push_back(point);
      }
    } catch (const Json::exception& error) {
      throw BadInput(file.string(), ": line ", number, ": ", error.what());
    }
  }
  // What a kill left of a line is cut off, so that the next one begins anew.
  if (log_ >= 0) {
    if (ftruncate(log_, static_cast<off_t>(begin)) != 0) FailOn(file);
    lseek(log_, 0, SEEK_END);
  }
}

void Session::Append(const std::string& line) {
  const std::string text = line + "\n";
  const std::filesystem::path file = folder_ / "log.jsonl";
  const off_t end = lseek(log_, 0, SEEK_END);
  const ssize_t written = write(log_, text.data(), text.size());
  if (written != static_cast<ssize_t>(text.size()) || fsync(log_) != 0) {
    const int fault = written < 0 ? errno : ENOSPC;
    if (ftruncate(log_, end) != 0) errno = fault;
    throw BadInput(file.string(), ": ", std::strerror(fault),
                   "; make room and go on with --resume");
  }
}

void Session::KeepSensitivity(const std::string& candidate, double loss, int64_t steps) {
  if (sensitivity_steps_ != steps) sensitivities_.clear();
  sensitivity_steps_ = steps;
  sensitivities_[candidate] = loss;
}

// A kill between a point's files and its line in the log leaves a folder that nothing names.
void Session::RemoveOrphans() const {
  std::error_code ignored;  // what stays only takes room
  for (const auto& entry : std::filesystem::directory_iterator(folder_ / "candidates", ignored)) {
    const std::string name = entry.path().filename();
    const bool is_ours = name.size() > 1 && name[0] == 'c' &&
                         name.find_first_not_of("0123456789.", 1) == std::string::npos;
    const auto is_its = [&](const VerifiedPoint& point) { return FolderOf(point) == entry.path(); };
    if (is_ours && std::ranges::none_of(points_, is_its)) {
      std::filesystem::remove_all(entry.path(), ignored);
    }
  }
}

void Session::AddSensitivity(const std::string& candidate, double loss, int64_t steps) {
  Append(
      Json({{"event", "sensitivity"}, {"candidate", candidate}, {"loss", loss}, {"steps", steps}})
          .dump());
  KeepSensitivity(candidate, loss, steps);
}

void Session::SetOriginal(const VerifiedPoint& point) {
  Append(Json({{"event", "original"}, {"point", fettle::ToJson(point)}}).dump());
  original_ = point;
}

void Session::AddPoint(const VerifiedPoint& point) {
  Append(Json({{"event", "point"}, {"point", fettle::ToJson(point)}}).dump());
  for (const VerifiedPoint& other : points_) {
    if (other.id != point.id || other.revision == point.revision) continue;
    std::error_code ignored;  // what stays only takes room
    std::filesystem::remove_all(FolderOf(other), ignored);
  }
  std::erase_if(points_, [&](const VerifiedPoint& other) { return other.id == point.id; });
  points_.push_back(point);
}

void Session::AddBeaten(const std::string& candidate, int64_t images) {
  Append(Json({{"event", "beaten"}, {"candidate", candidate}, {"images", images}}).dump());
  beaten_.insert(candidate);
}

void Session::AddNote(const std::string& event, const std::string& json) {
  Append(Json({{"event", event}, {"value", Json::parse(json)}}).dump());
}

std::vector<VerifiedPoint> FrontOf(const Session& session) {
  const auto objectives = [&](const VerifiedPoint& point) {
    return ValuesOf(point, session.settings().objectives);
  };
  ParetoFront front(session.settings().objectives.size());
  for (size_t i = 0; i < session.points().size(); ++i) {
    front.Add(objectives(session.points()[i]), i);
  }
  std::vector<VerifiedPoint> points;
  for (const ParetoPoint& member : front.points()) {
    const VerifiedPoint& point = session.points()[member.payload];
    const bool loses =
        session.original() && Dominates(objectives(*session.original()), objectives(point));
    if (!loses) points.push_back(point);
  }
  std::ranges::stable_sort(points, {},
                           [](const VerifiedPoint& point) { return point.latency_ms.value; });
  return points;
}

Json FrontJson(const Session& session) {
  Json json = {{"schema", kSchema}, {"session", session.folder().string()}};
  json["model"] = session.settings().model;
  json["data"] = session.settings().data;
  json["device"] = {{"id", session.settings().device}, {"name", session.settings().device_name}};
  json["threads"] = session.settings().threads;
  json["batch"] = session.settings().batch;
  json["metric"] = session.settings().metric;
  json["objectives"] = ToJson(session.settings().objectives);
  json["original"] = session.original() ? fettle::ToJson(*session.original()) : Json(nullptr);
  json["points"] = Json::array();
  for (const VerifiedPoint& point : FrontOf(session))
    json["points"].push_back(fettle::ToJson(point));
  return json;
}

}  // namespace fettle
