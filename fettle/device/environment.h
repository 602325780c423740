#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <vector>

namespace fettle {

// What a file holds, or why it could not be read.
struct FileText {
  std::string text;
  std::error_code error;

  explicit operator bool() const { return !error; }
};

// The outside world as measuring sees it, one object, so that a test can script clocks, sensors,
// noise and faults. Paths are absolute, as on a running system ("/proc/cpuinfo"). From one thread
// at a time.
class Environment {
 public:
  virtual ~Environment() = default;

  // A clock that never goes back, from an arbitrary start, and the smallest step it can show.
  virtual std::chrono::nanoseconds Now() = 0;
  virtual std::chrono::nanoseconds Tick() = 0;

  // What all threads of this process have computed for, together.
  virtual std::chrono::nanoseconds CpuTime() = 0;

  virtual void Sleep(std::chrono::nanoseconds duration) = 0;

  virtual FileText Read(const std::string& path) = 0;
  virtual std::error_code Write(const std::string& path, std::string_view text) = 0;

  // The names in a folder, ascending; none where there is no such folder.
  virtual std::vector<std::string> List(const std::string& path) = 0;
};

// The first line of a file without the white space around it; nothing where it cannot be read or
// is empty. Reads files of one value, the kernel's custom.
std::optional<std::string> ReadLine(Environment& environment, const std::string& path);
std::optional<int64_t> ReadInteger(Environment& environment, const std::string& path);

// The rest of the first line that begins with `name` and, behind white space, a colon:
// "VmHWM:    1612 kB" gives "1612 kB". Nothing where there is none.
std::optional<std::string> FieldOf(std::string_view text, std::string_view name);

// The number a text begins with; nothing where it does not.
std::optional<int64_t> LeadingInteger(std::string_view text);

// The processors of a list such as "0-3,8"; none where it is no such list.
std::vector<int> ParseCpuList(std::string_view text);

// The processors that this process may run on, by /proc/self/status; none where it does not say.
std::vector<int> AllowedCpus(Environment& environment);

// How long threads of this process stood in a run queue, ready, while others had the processor;
// nothing where the system does not tell (/proc/self/task/*/schedstat).
std::optional<std::chrono::nanoseconds> RunQueueWait(Environment& environment);

}  // namespace fettle
