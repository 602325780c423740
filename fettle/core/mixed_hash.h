#pragma once

#include <cstdint>

namespace fettle {

// A hash with one more number taken in, for tables in memory: fast, and nothing to be kept (that is
// Fnv1a's job). The mixing is that of SplitMix64 (Steele, Lea & Flood 2014).
inline uint64_t MixedHash(uint64_t hash, uint64_t number) {
  uint64_t mixed = hash * 0x9e3779b97f4a7c15 + number + 0x9e3779b97f4a7c15;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  return mixed ^ (mixed >> 27);
}

}  // namespace fettle
