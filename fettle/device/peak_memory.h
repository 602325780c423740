#pragma once

#include <cstdint>
#include <optional>

#include "fettle/device/environment.h"

namespace fettle {

// The resident memory of this process, by the kernel's account; nothing where it does not tell.
std::optional<int64_t> ResidentBytes(Environment& environment);

// The most it has been since the process began, or since ForgetPeak().
std::optional<int64_t> PeakResidentBytes(Environment& environment);

// What of it is this process's alone: without the pages of files (programs, libraries), which come
// and go as the system likes, and without shared memory.
std::optional<int64_t> OwnBytes(Environment& environment);

// The most that has been, where the pages of files have not become fewer since.
std::optional<int64_t> PeakOwnBytes(Environment& environment);

// Gives the system back what the allocator keeps for later, so that what is resident is in use;
// does nothing where the C library cannot.
void ReturnFreedMemory();

// False where the kernel refuses; the peak is then the process's whole life's.
bool ForgetPeak(Environment& environment);

}  // namespace fettle
