#include "fettle/device/peak_memory.h"

#include <string>
#include <string_view>

#if defined(__GLIBC__)
#include <malloc.h>
#endif

namespace fettle {
namespace {

std::optional<int64_t> BytesOfField(Environment& environment, std::string_view name) {
  const std::string status = environment.Read("/proc/self/status").text;
  const std::optional<std::string> field = FieldOf(status, name);
  const std::optional<int64_t> kibi = field ? LeadingInteger(*field) : std::nullopt;
  return kibi ? std::optional(*kibi * 1024) : std::nullopt;
}

}  // namespace

std::optional<int64_t> ResidentBytes(Environment& environment) {
  return BytesOfField(environment, "VmRSS");
}

std::optional<int64_t> PeakResidentBytes(Environment& environment) {
  return BytesOfField(environment, "VmHWM");
}

std::optional<int64_t> OwnBytes(Environment& environment) {
  return BytesOfField(environment, "RssAnon");
}

std::optional<int64_t> PeakOwnBytes(Environment& environment) {
  const std::optional<int64_t> peak = PeakResidentBytes(environment);
  const std::optional<int64_t> files = BytesOfField(environment, "RssFile");
  const std::optional<int64_t> shared = BytesOfField(environment, "RssShmem");
  if (!peak || !files || !shared) return std::nullopt;
  return *peak - *files - *shared;
}

void ReturnFreedMemory() {
#if defined(__GLIBC__)
  malloc_trim(0);
#endif
}

// "5" resets the high water mark (proc(5), since Linux 4.0).
bool ForgetPeak(Environment& environment) {
  return !environment.Write("/proc/self/clear_refs", "5");
}

}  // namespace fettle
