#include "fettle/core/target.h"

#if __has_include(<unistd.h>)
#include <unistd.h>
#endif

#include <cassert>

namespace fettle {

Target HostTarget(int threads) {
  assert(threads >= 1);
  Target target;
  target.threads = threads;
#if defined(__x86_64__)
  // These answer no as well where the operating system does not save the wide registers.
  target.has_avx2 = __builtin_cpu_supports("avx2") != 0 && __builtin_cpu_supports("fma") != 0;
  target.has_avx512 = target.has_avx2 && __builtin_cpu_supports("avx512f") != 0 &&
                      __builtin_cpu_supports("avx512bw") != 0 &&
                      __builtin_cpu_supports("avx512dq") != 0 &&
                      __builtin_cpu_supports("avx512vl") != 0;
  target.has_avx512_bf16 = target.has_avx512 && __builtin_cpu_supports("avx512bf16") != 0;
  target.has_avx512_vnni = target.has_avx512 && __builtin_cpu_supports("avx512vnni") != 0;
#endif
#if defined(_SC_LEVEL2_CACHE_SIZE)
  if (const long bytes = sysconf(_SC_LEVEL2_CACHE_SIZE); bytes > 0) target.l2_bytes = bytes;
#endif
  return target;
}

std::vector<std::string> IsaNames(const Target& target) {
  std::vector<std::string> names;
  if (target.has_avx2) names.emplace_back("avx2");
  if (target.has_avx512) names.emplace_back("avx512");
  if (target.has_avx512_bf16) names.emplace_back("avx512_bf16");
  if (target.has_avx512_vnni) names.emplace_back("avx512_vnni");
  return names;
}

}  // namespace fettle
