#include "fettle/device/fingerprint_host.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>
#include <vector>

#include "fettle/core/joined_text.h"
#include "fettle/device/caches.h"
#include "fettle/device/words.h"

namespace fettle {
namespace {

constexpr int64_t kKibi = 1024;

// "0x41:0xd08", the implementer and the part of each kind of core that ARM's cpuinfo lists.
std::string ArmParts(std::string_view cpuinfo) {
  std::set<std::string> parts;
  std::string implementer;
  for (const std::string_view line : Split(cpuinfo, '\n')) {
    if (const auto value = FieldOf(line, "CPU implementer")) implementer = *value;
    if (const auto value = FieldOf(line, "CPU part")) parts.insert(implementer + ":" + *value);
  }
  return JoinedText(parts, "+");
}

// The board's name out of the device tree, where it ends with a zero byte.
std::string BoardName(Environment& environment) {
  std::string name = environment.Read("/sys/firmware/devicetree/base/model").text;
  name.erase(std::remove(name.begin(), name.end(), '\0'), name.end());
  return std::string(Trimmed(name));
}

std::string CpuModel(Environment& environment) {
  const std::string cpuinfo = environment.Read("/proc/cpuinfo").text;
  if (const auto name = FieldOf(cpuinfo, "model name"); name && !name->empty()) return *name;
  const std::string board = BoardName(environment);
  const std::string parts = ArmParts(cpuinfo);
  if (board.empty() && parts.empty()) return "unknown";
  if (board.empty() || parts.empty()) return board + parts;
  return board + " (" + parts + ")";
}

int64_t MemoryBytes(Environment& environment) {
  const auto total = FieldOf(environment.Read("/proc/meminfo").text, "MemTotal");
  return total ? LeadingInteger(*total).value_or(0) * kKibi : 0;
}

std::string SystemName(Environment& environment) {
  const std::string name = ReadLine(environment, "/proc/sys/kernel/ostype").value_or("unknown");
  const auto release = ReadLine(environment, "/proc/sys/kernel/osrelease");
  return release ? name + " " + *release : name;
}

}  // namespace

Fingerprint HostFingerprint(Environment& environment, const Target& target,
                            std::map<std::string, std::string> libraries) {
  const std::vector<int> cpus = AllowedCpus(environment);
  const int first = cpus.empty() ? 0 : cpus.front();
  Fingerprint fingerprint;
  fingerprint.cpu_model = CpuModel(environment);
  fingerprint.isa = IsaNames(target);
  fingerprint.cores = static_cast<int>(cpus.size());
  fingerprint.cache_bytes = CachesOf(environment, first);
  fingerprint.memory_bytes = MemoryBytes(environment);
  fingerprint.system = SystemName(environment);
  fingerprint.governor =
      ReadLine(environment,
               "/sys/devices/system/cpu/cpu" + std::to_string(first) + "/cpufreq/scaling_governor")
          .value_or("");
  fingerprint.libraries = std::move(libraries);
  return fingerprint;
}

}  // namespace fettle
