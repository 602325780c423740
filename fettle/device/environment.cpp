#include "fettle/device/environment.h"

#include <charconv>

#include "fettle/device/words.h"

namespace fettle {
namespace {

// A list names processors, not memory: no machine has more.
constexpr int kMostCpus = 1 << 16;

std::optional<int> CpuNumber(std::string_view text) {
  int number = 0;
  const auto [after, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc() || after != text.data() + text.size()) return std::nullopt;
  if (number < 0 || number >= kMostCpus) return std::nullopt;
  return number;
}

}  // namespace

std::optional<std::string> ReadLine(Environment& environment, const std::string& path) {
  const FileText file = environment.Read(path);
  if (!file) return std::nullopt;
  const std::string_view line =
      Trimmed(std::string_view(file.text).substr(0, file.text.find('\n')));
  if (line.empty()) return std::nullopt;
  return std::string(line);
}

std::optional<int64_t> ReadInteger(Environment& environment, const std::string& path) {
  const std::optional<std::string> line = ReadLine(environment, path);
  return line ? LeadingInteger(*line) : std::nullopt;
}

std::optional<std::string> FieldOf(std::string_view text, std::string_view name) {
  for (const std::string_view line : Split(text, '\n')) {
    if (!line.starts_with(name)) continue;
    const std::string_view rest = Trimmed(line.substr(name.size()));
    if (rest.starts_with(':')) return std::string(Trimmed(rest.substr(1)));
  }
  return std::nullopt;
}

std::optional<int64_t> LeadingInteger(std::string_view text) {
  int64_t number = 0;
  const auto [after, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc()) return std::nullopt;
  return number;
}

std::vector<int> ParseCpuList(std::string_view text) {
  std::vector<int> cpus;
  for (const std::string_view part : Split(Trimmed(text), ',')) {
    const size_t dash = part.find('-');
    const std::optional<int> first = CpuNumber(part.substr(0, dash));
    const std::optional<int> last =
        dash == std::string_view::npos ? first : CpuNumber(part.substr(dash + 1));
    if (!first || !last) return {};
    for (int cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
  }
  return cpus;
}

std::vector<int> AllowedCpus(Environment& environment) {
  const FileText status = environment.Read("/proc/self/status");
  const std::optional<std::string> list = FieldOf(status.text, "Cpus_allowed_list");
  return list ? ParseCpuList(*list) : std::vector<int>();
}

std::optional<std::chrono::nanoseconds> RunQueueWait(Environment& environment) {
  std::optional<std::chrono::nanoseconds> total;
  for (const std::string& task : environment.List("/proc/self/task")) {
    const FileText file = environment.Read("/proc/self/task/" + task + "/schedstat");
    // "on the processor, waiting for it (both in ns), turns". A thread may have just ended.
    const std::vector<std::string_view> words = Words(file.text);
    const std::optional<int64_t> wait = words.size() >= 2 ? LeadingInteger(words[1]) : std::nullopt;
    if (wait) total = total.value_or(std::chrono::nanoseconds(0)) + std::chrono::nanoseconds(*wait);
  }
  return total;
}

}  // namespace fettle
