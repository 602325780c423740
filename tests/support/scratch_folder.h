#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>

#include "fettle/core/error.h"

namespace fettle {

// A folder for the running test alone, whatever else runs beside it; removed with it.
class ScratchFolder {
 public:
  ScratchFolder() : path_(std::filesystem::path(testing::TempDir()) / Name()) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  static std::string Name() {
    const testing::TestInfo& test = *testing::UnitTest::GetInstance()->current_test_info();
    std::string name = Text("fettle-", getpid(), "-", test.test_suite_name(), "-", test.name());
    std::ranges::replace(name, '/', '-');  // of a parameterised test
    return name;
  }

  const std::filesystem::path path_;
};

}  // namespace fettle
