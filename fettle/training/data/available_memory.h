#pragma once

#include <cstdint>
#include <string>

namespace fettle {

// Throws an Error that names the data and option limit where so many bytes are more than half of
// the memory that the system has left.
void RequireMemory(int64_t bytes, const std::string& data);

}  // namespace fettle
