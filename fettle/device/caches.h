#pragma once

#include <cstdint>
#include <vector>

#include "fettle/device/environment.h"

namespace fettle {

// The bytes of a processor's data caches, level 1 first; none where the system does not tell.
std::vector<int64_t> CachesOf(Environment& environment, int cpu);

}  // namespace fettle
