#pragma once

#include <cstdint>
#include <optional>

#include "fettle/device/environment.h"

namespace fettle {

// The resident memory of this process, by the kernel's account; nothing where it does not tell.
std::optional<int64_t> ResidentBytes(Environment& environment);

// The most it has been since the process began, or since ForgetPeak().
std::optional<int64_t> PeakResidentBytes(Environment& environment);

// False where the kernel refuses; the peak is then the process's whole life's.
bool ForgetPeak(Environment& environment);

}  // namespace fettle
