#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "fettle/core/error.h"
#include "fettle/runtime/plan_file.h"

namespace fettle {

// A folder for each plan that is to be timed, below `root`, which goes with all of them when this
// goes.
class PlanFolders {
 public:
  explicit PlanFolders(std::filesystem::path root) : root_(std::move(root)) {
    std::filesystem::remove_all(root_);  // what a kill has left
  }
  ~PlanFolders() {
    std::error_code ignored;
    std::filesystem::remove_all(root_, ignored);
  }
  PlanFolders(const PlanFolders&) = delete;
  PlanFolders& operator=(const PlanFolders&) = delete;

  void Add(const Plan& plan) {
    const std::filesystem::path folder = root_ / Text(folders_.size());
    std::filesystem::create_directories(folder);
    WritePlan(folder, plan);
    folders_.push_back(folder.string());
  }
  const std::vector<std::string>& folders() const { return folders_; }

 private:
  std::filesystem::path root_;
  std::vector<std::string> folders_;
};

}  // namespace fettle
