#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fettle/device/contender.h"
#include "fettle/device/environment.h"

namespace fettle {

// A world in which time passes only as a test says, and files hold what it says.
class ScriptedEnvironment : public Environment {
 public:
  using File = std::function<FileText()>;

  std::chrono::nanoseconds Now() override { return now_; }
  std::chrono::nanoseconds Tick() override { return tick; }
  std::chrono::nanoseconds CpuTime() override { return cpu_; }
  void Sleep(std::chrono::nanoseconds duration) override { Pass(duration, {}); }

  FileText Read(const std::string& path) override {
    const auto file = files.find(path);
    if (file == files.end())
      return {"", std::make_error_code(std::errc::no_such_file_or_directory)};
    return file->second();
  }

  std::error_code Write(const std::string& path, std::string_view text) override {
    if (!files.contains(path)) return std::make_error_code(std::errc::no_such_file_or_directory);
    written.emplace_back(path, text);
    return {};
  }

  std::vector<std::string> List(const std::string& path) override {
    std::set<std::string> names;
    const std::string folder = path + "/";
    for (const auto& [name, file] : files) {
      if (name.starts_with(folder)) {
        names.insert(name.substr(folder.size(), name.find('/', folder.size()) - folder.size()));
      }
    }
    return {names.begin(), names.end()};
  }

  void Pass(std::chrono::nanoseconds wall, std::chrono::nanoseconds cpu) {
    now_ += wall;
    cpu_ += cpu;
    if (on_pass) on_pass(wall);
  }

  void Put(const std::string& path, std::string text) {
    files[path] = [text = std::move(text)] { return FileText{text, {}}; };
  }
  void Deny(const std::string& path) {
    files[path] = [] { return FileText{"", std::make_error_code(std::errc::permission_denied)}; };
  }

  std::chrono::nanoseconds tick{1};
  std::map<std::string, File> files;
  std::vector<std::pair<std::string, std::string>> written;
  std::function<void(std::chrono::nanoseconds)> on_pass;  // hears of time as it passes

 private:
  std::chrono::nanoseconds now_{1'000'000'000};
  std::chrono::nanoseconds cpu_{0};
};

// Work that takes as many microseconds as a function of its run's number says.
class ScriptedContender : public Contender {
 public:
  using Cost = std::function<double(int run)>;

  ScriptedContender(ScriptedEnvironment& environment, Cost cost_us)
      : environment_(environment), cost_us_(std::move(cost_us)) {}
  ScriptedContender(ScriptedEnvironment& environment, double cost_us)
      : ScriptedContender(environment, [cost_us](int) { return cost_us; }) {}

  void Run() override {
    const auto cost = std::chrono::nanoseconds(static_cast<int64_t>(1000 * cost_us_(runs_++)));
    environment_.Pass(cost, cost);
  }

  int runs() const { return runs_; }

 private:
  ScriptedEnvironment& environment_;
  Cost cost_us_;
  int runs_ = 0;
};

}  // namespace fettle
