#pragma once

#include <cstdint>

#include "fettle/core/target.h"

namespace fettle {

// Below this many element operations one thread is sooner done than two are woken.
constexpr int64_t kParallelWork = 32768;

// Calls body(begin, end, part) for consecutive ranges that cover [0, count), one a thread; `part`
// numbers them from 0, below target.threads. Alone, as one range, where the work (in element
// operations) is little. The team is always the whole one: the OpenMP runtime ends and starts
// threads when a team's size changes.
template <typename Body>
void ParallelFor(const Target& target, int64_t count, int64_t work_per_item, const Body& body) {
  const int64_t parts = target.threads;
  if (count <= 0) return;
  if (parts == 1 || count == 1 || count * work_per_item < kParallelWork) {
    body(int64_t{0}, count, int64_t{0});
    return;
  }
#pragma omp parallel for schedule(static, 1)
  for (int64_t part = 0; part < parts; ++part) {
    const int64_t begin = count * part / parts, end = count * (part + 1) / parts;
    if (begin < end) body(begin, end, part);
  }
}

}  // namespace fettle
