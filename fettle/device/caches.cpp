#include "fettle/device/caches.h"

#include <map>
#include <string>
#include <string_view>

namespace fettle {
namespace {

constexpr int64_t kKibi = 1024;

// "32K", "8M", "1048576".
int64_t CacheBytes(std::string_view text) {
  const int64_t number = LeadingInteger(text).value_or(0);
  if (number <= 0 || number > int64_t{1} << 40) return 0;
  if (text.ends_with('K')) return number * kKibi;
  if (text.ends_with('M')) return number * kKibi * kKibi;
  return number;
}

}  // namespace

std::vector<int64_t> CachesOf(Environment& environment, int cpu) {
  const std::string folder = "/sys/devices/system/cpu/cpu" + std::to_string(cpu) + "/cache";
  std::map<int64_t, int64_t> bytes_of_level;
  for (const std::string& name : environment.List(folder)) {
    std::string cache = folder;
    cache.append("/").append(name);
    const std::optional<int64_t> level = ReadInteger(environment, cache + "/level");
    const std::optional<std::string> size = ReadLine(environment, cache + "/size");
    if (!level || !size || ReadLine(environment, cache + "/type") == "Instruction") continue;
    bytes_of_level[*level] = CacheBytes(*size);
  }
  std::vector<int64_t> caches;
  for (const auto& [level, bytes] : bytes_of_level) caches.push_back(bytes);
  return caches;
}

}  // namespace fettle
