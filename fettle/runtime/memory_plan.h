#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "fettle/runtime/plan.h"

namespace fettle {

// Where a plan's tensors and its kernels' scratch memory lie in one arena. Two that are in use at
// the same time do not overlap, except an output that stands in its input's place.
struct MemoryPlan {
  // Bytes from the arena's start, a multiple of 64; nothing for the tensors that live elsewhere:
  // inputs, constants, those computed from constants alone, and outputs, which are written to the
  // caller's memory.
  std::vector<std::optional<size_t>> offsets;
  std::vector<size_t> workspace_offsets;  // one a step
  size_t arena_bytes = 0;
  std::vector<bool> runs_once;  // one a step: it depends on constants alone
};

// Places the largest first, each at the lowest offset that is free while it is in use (greedy by
// size, Pisarchyk & Lee, "Efficient Memory Management for Deep Neural Net Inference", 2020).
// `workspace_bytes` is what the kernel of each step needs.
MemoryPlan PlanMemory(const Plan& plan, std::span<const size_t> workspace_bytes);

// The most that is in use at any one step: no placement needs less.
size_t LowerBoundOfArena(const Plan& plan, std::span<const size_t> workspace_bytes);

}  // namespace fettle
