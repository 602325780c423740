#pragma once

#include <filesystem>
#include <string>
#include <system_error>

#include "fettle/core/error.h"
#include "fettle/core/file.h"
#include "fettle/runtime/plan_file.h"

namespace fettle {

// A folder for each plan that is to be timed, below `root`, which goes with all of them when this
// goes.
class PlanFolders {
 public:
  explicit PlanFolders(std::filesystem::path root) : root_(std::move(root)) {
    Remove(root_.string());  // what a kill has left
  }
  ~PlanFolders() { Remove(root_.string()); }
  PlanFolders(const PlanFolders&) = delete;
  PlanFolders& operator=(const PlanFolders&) = delete;

  // The plan's folder, until it is removed. Throws Error (kBadInput) where it cannot be written.
  std::string Add(const Plan& plan) {
    const std::filesystem::path folder = root_ / Text(++added_);
    std::error_code fault;
    std::filesystem::create_directories(folder, fault);
    if (fault) throw BadInput(folder.string(), ": cannot be made: ", fault.message());
    WritePlan(folder, plan, FileLife::kTemporary);
    return folder.string();
  }
  static void Remove(const std::string& folder) {
    std::error_code ignored;
    std::filesystem::remove_all(folder, ignored);
  }

 private:
  std::filesystem::path root_;
  int added_ = 0;
};

}  // namespace fettle
