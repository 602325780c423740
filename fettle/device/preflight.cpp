#include "fettle/device/preflight.h"

#include <algorithm>
#include <charconv>

#include "fettle/core/error.h"
#include "fettle/device/words.h"

namespace fettle {
namespace {

constexpr double kHotCelsius = 90;

std::string CpuFolder(int cpu) { return "/sys/devices/system/cpu/cpu" + std::to_string(cpu); }

template <typename Number>
std::optional<Number> Smaller(std::optional<Number> a, std::optional<Number> b) {
  return a && b ? std::min(a, b) : (a ? a : b);
}

template <typename Number>
std::optional<Number> Larger(std::optional<Number> a, std::optional<Number> b) {
  return std::max(a, b);  // nothing is less than any number
}

std::optional<double> LeadingNumber(std::string_view text) {
  double number = 0;
  const auto [after, fault] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (fault != std::errc()) return std::nullopt;
  return number;
}

std::optional<double> Scaled(std::optional<int64_t> value, double scale) {
  return value ? std::optional(static_cast<double>(*value) * scale) : std::nullopt;
}

// The processor time a folder of a control group allows a process each second of time.
std::optional<double> LimitOfFolder(Environment& environment, const std::string& folder) {
  const std::string line = ReadLine(environment, folder + "/cpu.max").value_or("");
  const std::vector<std::string_view> words = Words(line);
  std::optional<int64_t> quota, period;
  if (words.size() == 2) {  // version 2: "max 100000" or "150000 100000"
    quota = LeadingInteger(words[0]);
    period = LeadingInteger(words[1]);
  } else {
    quota = ReadInteger(environment, folder + "/cpu.cfs_quota_us");  // -1 where there is none
    period = ReadInteger(environment, folder + "/cpu.cfs_period_us");
  }
  if (!quota || !period || *quota <= 0 || *period <= 0) return std::nullopt;
  return static_cast<double>(*quota) / static_cast<double>(*period);
}

// The narrowest limit from the group's own folder up to the root.
std::optional<double> LimitBelow(Environment& environment, const std::string& root,
                                 std::string group) {
  if (group.find("..") != std::string::npos) group.clear();  // seen from inside a namespace
  std::optional<double> limit;
  while (true) {
    limit = Smaller(limit, LimitOfFolder(environment, root + group));
    const size_t slash = group.rfind('/');
    if (slash == std::string::npos) return limit;
    group.resize(slash);
  }
}

std::optional<double> CpuLimit(Environment& environment) {
  std::optional<double> limit;
  const FileText groups = environment.Read("/proc/self/cgroup");
  for (const std::string_view line : Split(groups.text, '\n')) {  // "4:cpu,cpuacct:/group"
    const size_t first = line.find(':');
    const size_t second = first == std::string_view::npos ? first : line.find(':', first + 1);
    if (second == std::string_view::npos) continue;
    const std::string_view names = line.substr(first + 1, second - first - 1);
    const std::vector<std::string_view> controllers = Split(names, ',');
    const bool has_cpu =
        std::find(controllers.begin(), controllers.end(), "cpu") != controllers.end();
    if (!names.empty() && !has_cpu) continue;  // version 2 names none, and has them all
    std::string root = "/sys/fs/cgroup";
    if (!names.empty()) root.append("/").append(names);
    std::string group(line.substr(second + 1));
    if (group == "/") group.clear();
    limit = Smaller(limit, LimitBelow(environment, root, std::move(group)));
  }
  return limit;
}

// What the kernel last set, or, in a virtual machine, what cpuinfo shows.
std::optional<double> SlowestMhz(Environment& environment, const std::vector<int>& cpus) {
  std::optional<double> slowest;
  for (const int cpu : cpus) {
    const auto khz = ReadInteger(environment, CpuFolder(cpu) + "/cpufreq/scaling_cur_freq");
    slowest = Smaller(slowest, Scaled(khz, 1e-3));
  }
  if (slowest) return slowest;
  const FileText cpuinfo = environment.Read("/proc/cpuinfo");
  for (const std::string_view line : Split(cpuinfo.text, '\n')) {
    const auto mhz = FieldOf(line, "cpu MHz");
    if (mhz) slowest = Smaller(slowest, LeadingNumber(*mhz));
  }
  return slowest;
}

std::optional<bool> Boosts(Environment& environment) {
  if (const auto no_turbo =
          ReadInteger(environment, "/sys/devices/system/cpu/intel_pstate/no_turbo")) {
    return *no_turbo == 0;
  }
  const auto boost = ReadInteger(environment, "/sys/devices/system/cpu/cpufreq/boost");
  return boost ? std::optional(*boost != 0) : std::nullopt;
}

std::optional<int64_t> ThrottleEvents(Environment& environment, const std::vector<int>& cpus) {
  std::optional<int64_t> total;
  for (const int cpu : cpus) {
    const std::string folder = CpuFolder(cpu) + "/thermal_throttle/";
    for (const char* counter : {"core_throttle_count", "package_throttle_count"}) {
      const auto count = ReadInteger(environment, folder + counter);
      if (count) total = total.value_or(0) + *count;
    }
  }
  return total;
}

// Hexadecimal: under-voltage, capped, throttled and hot, now (bits 0-3) and since start (16-19).
std::optional<int64_t> ThrottleBits(Environment& environment) {
  const auto line = ReadLine(environment, "/sys/devices/platform/soc/soc:firmware/get_throttled");
  if (!line) return std::nullopt;
  int64_t bits = 0;
  const auto [after, fault] = std::from_chars(line->data(), line->data() + line->size(), bits, 16);
  return fault == std::errc() ? std::optional(bits) : std::nullopt;
}

std::optional<double> HottestCelsius(Environment& environment) {
  std::optional<double> hottest;
  for (const std::string& zone : environment.List("/sys/class/thermal")) {
    if (!zone.starts_with("thermal_zone")) continue;
    const auto millidegrees = ReadInteger(environment, "/sys/class/thermal/" + zone + "/temp");
    hottest = Larger(hottest, Scaled(millidegrees, 1e-3));
  }
  return hottest;
}

}  // namespace

Preflight TakePreflight(Environment& environment, int threads) {
  Preflight preflight;
  preflight.threads = threads;
  preflight.cpus = AllowedCpus(environment);
  preflight.cpu_limit = CpuLimit(environment);
  const std::string first = CpuFolder(preflight.cpus.empty() ? 0 : preflight.cpus.front());
  preflight.governor = ReadLine(environment, first + "/cpufreq/scaling_governor").value_or("");
  preflight.mhz = SlowestMhz(environment, preflight.cpus);
  preflight.highest_mhz =
      Scaled(ReadInteger(environment, first + "/cpufreq/cpuinfo_max_freq"), 1e-3);
  preflight.boosts = Boosts(environment);
  preflight.throttle_events = ThrottleEvents(environment, preflight.cpus);
  preflight.throttle_bits = ThrottleBits(environment);
  preflight.temperature_c = HottestCelsius(environment);
  preflight.load = LeadingNumber(ReadLine(environment, "/proc/loadavg").value_or(""));
  const auto available = FieldOf(environment.Read("/proc/meminfo").text, "MemAvailable");
  if (available) preflight.available_bytes = LeadingInteger(*available).value_or(0) * 1024;
  return preflight;
}

std::vector<std::string> ConcernsOf(const Preflight& preflight) {
  std::vector<std::string> concerns;
  const auto concern = [&](const auto&... parts) { concerns.push_back(Text(parts...)); };
  const auto threads = static_cast<size_t>(preflight.threads);
  const size_t cpus = preflight.cpus.size();
  if (!preflight.governor.empty() && preflight.governor != "performance") {
    concern("the frequency's governor is '", preflight.governor, "', not 'performance'");
  }
  if (cpus > 0 && threads > cpus) {
    concern(threads, " threads on the ", cpus, " processors that the process may run on");
  }
  if (preflight.cpu_limit && *preflight.cpu_limit < static_cast<double>(threads)) {
    concern("the control group allows ", *preflight.cpu_limit, " processors' time to ", threads,
            " threads");
  }
  // This process itself is not yet at work: all load is the neighbours'.
  if (preflight.load && cpus > 0 && *preflight.load > static_cast<double>(cpus) / 2) {
    concern("a load of ", *preflight.load, " on ", cpus, " processors before measuring");
  }
  if (preflight.throttle_bits && (*preflight.throttle_bits & 0xf) != 0) {
    concern("the firmware throttles now (bits ", *preflight.throttle_bits & 0xf, ")");
  }
  if (preflight.temperature_c && *preflight.temperature_c >= kHotCelsius) {
    concern("it is ", *preflight.temperature_c, " degrees Celsius hot");
  }
  return concerns;
}

std::vector<std::string> ConcernsBetween(const Preflight& before, const Preflight& after) {
  std::vector<std::string> concerns;
  if (before.throttle_events && after.throttle_events &&
      *after.throttle_events > *before.throttle_events) {
    concerns.push_back(Text("the processors were throttled ",
                            *after.throttle_events - *before.throttle_events,
                            " times while measuring"));
  }
  const int64_t new_bits = after.throttle_bits.value_or(0) & ~before.throttle_bits.value_or(0);
  if (new_bits != 0) {
    concerns.push_back(Text("the firmware throttled while measuring (bits ", new_bits, ")"));
  }
  return concerns;
}

}  // namespace fettle
