#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "fettle/device/environment.h"

namespace fettle {

// The machine this process runs on. With another root the files (sensors, processes) are those of
// a recorded tree, the clocks still the machine's.
class HostEnvironment final : public Environment {
 public:
  explicit HostEnvironment(std::string root = "/");

  std::chrono::nanoseconds Now() override;
  std::chrono::nanoseconds Tick() override { return tick_; }
  std::chrono::nanoseconds CpuTime() override;
  void Sleep(std::chrono::nanoseconds duration) override;
  FileText Read(const std::string& path) override;
  std::error_code Write(const std::string& path, std::string_view text) override;
  std::vector<std::string> List(const std::string& path) override;

 private:
  std::string root_;  // without a slash at its end
  std::chrono::nanoseconds tick_;
};

}  // namespace fettle
