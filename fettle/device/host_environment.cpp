#include "fettle/device/host_environment.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>
#include <filesystem>
#include <thread>
#include <utility>

namespace fettle {
namespace {

// Enough for /proc/cpuinfo of a thousand processors; whatever is longer is not one of ours.
constexpr size_t kLongestFile = 4 << 20;

class FileDescriptor {
 public:
  explicit FileDescriptor(int number) : number_(number) {}
  ~FileDescriptor() {
    if (number_ >= 0) ::close(number_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  bool IsOpen() const { return number_ >= 0; }
  int number() const { return number_; }

 private:
  int number_;
};

std::error_code LastError() { return {errno, std::generic_category()}; }

// The clock's stated resolution is one nanosecond nearly everywhere; what it can tell apart is the
// smallest difference between two readings.
std::chrono::nanoseconds SmallestStep(Environment& environment) {
  auto smallest = std::chrono::nanoseconds::max();
  for (int i = 0; i < 100; ++i) {
    const std::chrono::nanoseconds start = environment.Now();
    std::chrono::nanoseconds next = start;
    while (next == start) next = environment.Now();
    smallest = std::min(smallest, next - start);
  }
  return smallest;
}

}  // namespace

HostEnvironment::HostEnvironment(std::string root) : root_(std::move(root)) {
  while (root_.ends_with('/')) root_.pop_back();
  tick_ = SmallestStep(*this);
}

std::chrono::nanoseconds HostEnvironment::Now() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

std::chrono::nanoseconds HostEnvironment::CpuTime() {
  timespec time{};
  ::clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

void HostEnvironment::Sleep(std::chrono::nanoseconds duration) {
  std::this_thread::sleep_for(duration);
}

FileText HostEnvironment::Read(const std::string& path) {
  const FileDescriptor file(::open((root_ + path).c_str(), O_RDONLY | O_CLOEXEC));
  if (!file.IsOpen()) return {"", LastError()};
  FileText result;
  std::array<char, 4096> block;
  while (true) {
    const ssize_t count = ::read(file.number(), block.data(), block.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return {"", LastError()};
    if (count == 0) return result;
    result.text.append(block.data(), static_cast<size_t>(count));
    if (result.text.size() > kLongestFile)
      return {"", std::make_error_code(std::errc::file_too_large)};
  }
}

std::error_code HostEnvironment::Write(const std::string& path, std::string_view text) {
  const FileDescriptor file(::open((root_ + path).c_str(), O_WRONLY | O_CLOEXEC));
  if (!file.IsOpen()) return LastError();
  // Files of the kernel take a value in one call or not at all.
  const ssize_t count = ::write(file.number(), text.data(), text.size());
  if (count < 0) return LastError();
  if (static_cast<size_t>(count) != text.size()) return std::make_error_code(std::errc::io_error);
  return {};
}

std::vector<std::string> HostEnvironment::List(const std::string& path) {
  std::vector<std::string> names;
  std::error_code error;
  std::filesystem::directory_iterator entry(root_ + path, error);
  const std::filesystem::directory_iterator end;
  while (!error && entry != end) {
    names.push_back(entry->path().filename().string());
    entry.increment(error);
  }
  std::sort(names.begin(), names.end());
  return names;
}

}  // namespace fettle
