#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "fettle/tuner/objective.h"
#include "fettle/tuner/verified_point.h"

namespace fettle {

// What a session was asked to do; what must not change when it is resumed.
struct SessionSettings {
  std::string model;        // as given
  std::string model_hash;   // FNV-1a of the file
  std::string data;         // DATA as given
  std::string device;       // its id
  std::string device_name;  // for people
  int threads = 1;
  int64_t batch = 1;
  uint64_t seed = 1;
  std::string strategy;
  std::string space;  // TuningSpace::Fingerprint; empty in sessions of before it was kept
  std::vector<Objective> objectives = {Objective::kLatency, Objective::kAccuracy};
  std::string metric = "top1";  // what accuracy is; "agreement" (with the original) without labels
  std::string preprocessing;    // PreprocessingJson; empty in sessions of before it was kept
  double budget_seconds = 600;
  double max_drop_points = 100;  // candidates predicted to lose more are not verified

  friend bool operator==(const SessionSettings&, const SessionSettings&) = default;
};

// A session on disk: a folder that a person can read (docs/session.md).
//
//   settings.json        SessionSettings
//   original/            the model: model.onnx, plan.json, weights.bin
//   candidates/ID/       each verified candidate, likewise; ID.1, ID.2, ... once trained further
//   log.jsonl            what became known, a line each, appended and synced: nothing that was
//                        measured is lost by a kill; half a line at the end is dropped
//
// One process has it open at a time. Functions throw Error (kBadInput) that names the file.
class Session {
 public:
  // A folder that has no session yet; it is made.
  static Session Create(const std::filesystem::path& folder, const SessionSettings& settings);
  // To go on: the settings must be the same but for the budget.
  static Session Resume(const std::filesystem::path& folder, const SessionSettings& settings);
  // The settings that it began with. What may change in the network was screened by that budget, so
  // one that goes on with another asks for them.
  static SessionSettings SettingsOf(const std::filesystem::path& folder);
  // Throws where the folder holds a session already.
  static void RequireNone(const std::filesystem::path& folder);
  // To read only, also while another process works on it.
  static Session Read(const std::filesystem::path& folder);

  Session(Session&& other) noexcept;
  Session& operator=(Session&&) = delete;
  ~Session();

  const std::filesystem::path& folder() const { return folder_; }
  const SessionSettings& settings() const { return settings_; }
  // Where the point's files are: original, candidates/c3, or, trained further, candidates/c3.1.
  std::filesystem::path FolderOf(const VerifiedPoint& point) const;

  // The loss that each single change adds, by candidate text: those measured after as many steps
  // of recovery as the last one, the only ones that can be compared.
  const std::map<std::string, double>& sensitivities() const { return sensitivities_; }
  // Nothing where there are no sensitivities.
  std::optional<int64_t> sensitivity_steps() const { return sensitivity_steps_; }
  const std::optional<VerifiedPoint>& original() const { return original_; }
  const std::vector<VerifiedPoint>& points() const { return points_; }
  // Candidates whose evaluation ended early: clearly beaten, no points.
  const std::set<std::string>& beaten() const { return beaten_; }

  void AddSensitivity(const std::string& candidate, double loss, int64_t steps);
  void SetOriginal(const VerifiedPoint& point);
  // One of the same id is replaced; of an earlier revision the files are removed then.
  void AddPoint(const VerifiedPoint& point);
  void AddBeaten(const std::string& candidate, int64_t images);
  void AddNote(const std::string& event, const std::string& json);  // kept in the log only

 private:
  Session(std::filesystem::path folder, SessionSettings settings);
  void Lock();
  void ReadLog();
  void KeepSensitivity(const std::string& candidate, double loss, int64_t steps);
  void RemoveOrphans() const;
  void Append(const std::string& line);

  std::filesystem::path folder_;
  SessionSettings settings_;
  int log_ = -1, lock_ = -1;
  std::map<std::string, double> sensitivities_;
  std::optional<int64_t> sensitivity_steps_;
  std::optional<VerifiedPoint> original_;
  std::vector<VerifiedPoint> points_;
  std::set<std::string> beaten_;
};

// The points that no other one beats in all of the session's objectives, the original among those
// compared; from the fastest on.
std::vector<VerifiedPoint> FrontOf(const Session& session);

// {"schema":1,"original":{...},"points":[...]}
nlohmann::ordered_json FrontJson(const Session& session);

}  // namespace fettle
