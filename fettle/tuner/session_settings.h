#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "fettle/tuner/objective.h"

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

// The text of settings.json, and what it says. Throws Error (kBadInput) that names the file.
std::string SettingsText(const SessionSettings& settings);
SessionSettings ReadSettings(const std::filesystem::path& file);

// The first setting that a session cannot be resumed with, in words, or nothing: all must be the
// same but for the budget and the names that are for people.
std::optional<std::string> DifferenceOf(const SessionSettings& was, SessionSettings is);

}  // namespace fettle
