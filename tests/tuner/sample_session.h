#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "fettle/core/error.h"
#include "fettle/tuner/session.h"

namespace fettle {

// A folder of its own for a test, removed with it.
class ScratchFolder {
 public:
  ScratchFolder()
      : path_(std::filesystem::path(testing::TempDir()) /
              Text("fettle-", getpid(), "-",
                   testing::UnitTest::GetInstance()->current_test_info()->name())) {
    std::filesystem::remove_all(path_);
    std::filesystem::create_directories(path_);
  }
  ~ScratchFolder() { std::filesystem::remove_all(path_); }
  ScratchFolder(const ScratchFolder&) = delete;
  ScratchFolder& operator=(const ScratchFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

inline SessionSettings SampleSettings() {
  SessionSettings settings;
  settings.model = "model.onnx";
  settings.model_hash = "abc";
  settings.data = "fashion-mnist";
  settings.device = "0123456789abcdef";
  settings.strategy = "nsga2";
  return settings;
}

inline VerifiedPoint SamplePoint(const std::string& id, double ms, double accuracy) {
  VerifiedPoint point;
  point.id = id;
  point.candidate = id == "original" ? "" : "0,1";
  point.parent = "original";
  point.latency_ms = {ms, 0.9 * ms, 1.1 * ms};
  point.accuracy = {accuracy, accuracy - 0.01, accuracy + 0.01};
  point.memory_bytes = 1000;
  point.changes = {{"conv<1>", "prune(keep=0.5)", "bf16", "onednn.conv:jit:avx2"}};
  return point;
}

}  // namespace fettle
