#include "fettle/runtime/memory_plan.h"

#include <algorithm>
#include <cassert>
#include <numeric>

namespace fettle {
namespace {

constexpr size_t kAlignment = 64;

size_t RoundUp(size_t bytes) { return (bytes + kAlignment - 1) / kAlignment * kAlignment; }

// A piece of the arena that is in use from one step to another, both included.
struct Block {
  size_t bytes = 0;
  int first = 0, last = 0;
  size_t offset = 0;

  bool MeetsInTime(const Block& other) const { return first <= other.last && other.first <= last; }
};

struct Blocks {
  std::vector<Block> list;
  std::vector<int> of_tensor;     // index in `list`, -1 for tensors outside the arena
  std::vector<int> of_workspace;  // one a step, -1 for none
  std::vector<bool> runs_once;
};

std::vector<bool> StepsThatRunOnce(const Plan& plan) {
  std::vector<bool> is_constant(plan.tensors.size());
  for (size_t i = 0; i < plan.tensors.size(); ++i)
    is_constant[i] = plan.tensors[i].constant != nullptr;
  std::vector<bool> once(plan.steps.size());
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const PlanStep& step = plan.steps[s];
    once[s] = std::ranges::all_of(step.inputs,
                                  [&](int id) { return is_constant[static_cast<size_t>(id)]; });
    if (once[s]) is_constant[static_cast<size_t>(step.output)] = true;
  }
  return once;
}

std::vector<int> LastUses(const Plan& plan) {
  std::vector<int> last(plan.tensors.size(), -1);
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    last[static_cast<size_t>(plan.steps[s].output)] = static_cast<int>(s);
    for (const int id : plan.steps[s].inputs) last[static_cast<size_t>(id)] = static_cast<int>(s);
  }
  return last;
}

size_t BytesOf(const PlanTensor& tensor) {
  return RoundUp(static_cast<size_t>(PhysicalBytes(tensor.type, tensor.layout)));
}

// The block whose place the output of step s may take, or -1.
int BlockToTakeOver(const Plan& plan, const Blocks& blocks, const std::vector<int>& last_use,
                    size_t s) {
  const PlanStep& step = plan.steps[s];
  if (!step.implementation.in_place_input) return -1;
  const int input = step.inputs.at(*step.implementation.in_place_input);
  const auto id = static_cast<size_t>(input);
  const int block = blocks.of_tensor[id];
  if (block < 0 || last_use[id] != static_cast<int>(s)) return -1;
  if (std::ranges::count(step.inputs, input) != 1) return -1;
  // Another tensor may have been computed into the same block and still be in use.
  if (blocks.list[static_cast<size_t>(block)].last > static_cast<int>(s)) return -1;
  const size_t bytes = BytesOf(plan.tensors[static_cast<size_t>(step.output)]);
  return blocks.list[static_cast<size_t>(block)].bytes == bytes ? block : -1;
}

Blocks FindBlocks(const Plan& plan, std::span<const size_t> workspace_bytes) {
  assert(workspace_bytes.size() == plan.steps.size());
  Blocks blocks;
  blocks.runs_once = StepsThatRunOnce(plan);
  blocks.of_tensor.assign(plan.tensors.size(), -1);
  blocks.of_workspace.assign(plan.steps.size(), -1);
  const std::vector<int> last_use = LastUses(plan);
  const auto add = [&](const Block& block) {
    blocks.list.push_back(block);
    return static_cast<int>(blocks.list.size()) - 1;
  };
  for (size_t s = 0; s < plan.steps.size(); ++s) {
    const int now = static_cast<int>(s);
    if (workspace_bytes[s] > 0) {
      blocks.of_workspace[s] = add({RoundUp(workspace_bytes[s]), now, now, 0});
    }
    const auto output = static_cast<size_t>(plan.steps[s].output);
    const bool is_outside =
        blocks.runs_once[s] || std::ranges::count(plan.outputs, plan.steps[s].output) > 0;
    if (is_outside) continue;
    const int taken = BlockToTakeOver(plan, blocks, last_use, s);
    if (taken >= 0) {
      blocks.list[static_cast<size_t>(taken)].last = last_use[output];
      blocks.of_tensor[output] = taken;
    } else {
      blocks.of_tensor[output] = add({BytesOf(plan.tensors[output]), now, last_use[output], 0});
    }
  }
  return blocks;
}

// The lowest offset at which the block overlaps none of those placed that meet it in time.
size_t LowestFreeOffset(const Block& block, const std::vector<const Block*>& placed) {
  std::vector<const Block*> in_the_way;
  for (const Block* other : placed) {
    if (other->MeetsInTime(block)) in_the_way.push_back(other);
  }
  std::ranges::sort(in_the_way, {}, &Block::offset);
  size_t offset = 0;
  for (const Block* other : in_the_way) {
    if (offset + block.bytes <= other->offset) break;
    offset = std::max(offset, other->offset + other->bytes);
  }
  return offset;
}

}  // namespace

MemoryPlan PlanMemory(const Plan& plan, std::span<const size_t> workspace_bytes) {
  Blocks blocks = FindBlocks(plan, workspace_bytes);
  std::vector<size_t> order(blocks.list.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, std::greater(), [&](size_t i) { return blocks.list[i].bytes; });

  MemoryPlan memory;
  std::vector<const Block*> placed;
  for (const size_t i : order) {
    Block& block = blocks.list[i];
    block.offset = LowestFreeOffset(block, placed);
    placed.push_back(&block);
    memory.arena_bytes = std::max(memory.arena_bytes, block.offset + block.bytes);
  }
  for (const int block : blocks.of_tensor) {
    memory.offsets.push_back(
        block < 0 ? std::nullopt : std::optional(blocks.list[static_cast<size_t>(block)].offset));
  }
  for (const int block : blocks.of_workspace) {
    memory.workspace_offsets.push_back(block < 0 ? 0
                                                 : blocks.list[static_cast<size_t>(block)].offset);
  }
  memory.runs_once = std::move(blocks.runs_once);
  return memory;
}

size_t LowerBoundOfArena(const Plan& plan, std::span<const size_t> workspace_bytes) {
  const Blocks blocks = FindBlocks(plan, workspace_bytes);
  size_t most = 0;
  for (int s = 0; s < static_cast<int>(plan.steps.size()); ++s) {
    size_t bytes = 0;
    for (const Block& block : blocks.list) {
      if (block.first <= s && s <= block.last) bytes += block.bytes;
    }
    most = std::max(most, bytes);
  }
  return most;
}

}  // namespace fettle
