#pragma once

#include <algorithm>
#include <thread>

#include "fettle/tuner/cli/options.h"

namespace fettle {

// --threads, but no more than there are processors: more are never faster, and take long to find
// out. Throws Error (kUsage) where it is no number of threads.
inline int ThreadsFrom(const Options& options, int fallback) {
  const auto asked = static_cast<int>(options.GetInteger("threads", fallback, 1, 1024));
  const int processors = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  return std::min(asked, processors);
}

}  // namespace fettle
