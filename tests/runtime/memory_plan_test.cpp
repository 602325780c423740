#include "fettle/runtime/memory_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include "tests/runtime/random_plan.h"

namespace fettle {
namespace {

// Runs a plan on tags instead of numbers: each step checks that its inputs still hold what was
// computed into them, then marks its output and its workspace as its own.
class TagMachine {
 public:
  TagMachine(const Plan& plan, const MemoryPlan& memory, std::span<const size_t> workspace)
      : plan_(plan), memory_(memory), workspace_(workspace), arena_(memory.arena_bytes, -1) {}

  void Run() {
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const PlanStep& step = plan_.steps[s];
      const auto output = static_cast<size_t>(step.output);
      for (const int input : step.inputs) Check(static_cast<size_t>(input));
      // Workspace is used while inputs are still read.
      Mark(memory_.workspace_offsets[s], workspace_[s], -2);
      std::set<int> others(step.inputs.begin(), step.inputs.end());
      const auto in_place = step.implementation.in_place_input;
      if (in_place && std::ranges::count(step.inputs, step.inputs[*in_place]) == 1) {
        others.erase(step.inputs[*in_place]);
      }
      for (const int input : step.inputs) {
        if (others.contains(input)) Check(static_cast<size_t>(input));
      }
      if (memory_.offsets[output]) {
        Mark(*memory_.offsets[output], BytesOf(output), static_cast<int>(output));
      }
      for (const int input : others) Check(static_cast<size_t>(input));
      ASSERT_FALSE(Overlap(memory_.workspace_offsets[s], workspace_[s], output));
    }
  }

 private:
  size_t BytesOf(size_t tensor) const {
    return static_cast<size_t>(PhysicalBytes(plan_.tensors[tensor].type, Layout::kPlain));
  }
  bool Overlap(size_t begin, size_t bytes, size_t tensor) const {
    if (!memory_.offsets[tensor] || bytes == 0) return false;
    const size_t other = *memory_.offsets[tensor];
    return begin < other + BytesOf(tensor) && other < begin + bytes;
  }
  void Mark(size_t begin, size_t bytes, int tag) {
    ASSERT_LE(begin + bytes, arena_.size());
    std::fill_n(arena_.begin() + static_cast<ptrdiff_t>(begin), bytes, tag);
  }
  void Check(size_t tensor) const {
    if (!memory_.offsets[tensor]) return;
    for (size_t i = 0; i < BytesOf(tensor); ++i) {
      ASSERT_EQ(arena_[*memory_.offsets[tensor] + i], static_cast<int>(tensor));
    }
  }

  const Plan& plan_;
  const MemoryPlan& memory_;
  std::span<const size_t> workspace_;
  std::vector<int> arena_;
};

TEST(MemoryPlan, OverwritesNothingThatIsStillRead) {
  for (uint64_t seed = 0; seed < 500; ++seed) {
    SCOPED_TRACE(seed);
    Random random(seed);
    std::vector<size_t> workspace;
    const Plan plan = RandomPlan(&random, &workspace);
    const MemoryPlan memory = PlanMemory(plan, workspace);
    TagMachine(plan, memory, workspace).Run();
    if (testing::Test::HasFatalFailure()) return;
    EXPECT_GE(memory.arena_bytes, LowerBoundOfArena(plan, workspace));
    for (const auto& offset : memory.offsets) EXPECT_EQ(offset.value_or(0) % 64, 0u);
  }
}

Plan Chain(int steps, bool in_place) {
  Plan plan;
  plan.tensors.push_back({"x", {DType::kF32, {1, 16}}, Layout::kPlain, nullptr});
  plan.inputs = {0};
  for (int s = 0; s < steps; ++s) {
    PlanStep step;
    step.inputs = {s};
    step.output = s + 1;
    if (in_place) step.implementation.in_place_input = 0;
    plan.tensors.push_back(plan.tensors[0]);
    plan.steps.push_back(std::move(step));
  }
  plan.outputs = {steps};
  return plan;
}

TEST(MemoryPlan, AChainNeedsTwoBuffersAndInPlaceOne) {
  const std::vector<size_t> none(6, 0);
  EXPECT_EQ(PlanMemory(Chain(6, false), none).arena_bytes, 2u * 64);
  EXPECT_EQ(PlanMemory(Chain(6, true), none).arena_bytes, 64u);
}

TEST(MemoryPlan, InputsAreNeverOverwritten) {
  const std::vector<size_t> none(1, 0);
  const MemoryPlan memory = PlanMemory(Chain(1, true), none);
  EXPECT_EQ(memory.arena_bytes, 0u);  // from the caller's input to the caller's output
}

TEST(MemoryPlan, AStepThatReadsATensorTwiceDoesNotReplaceIt) {
  Plan plan = Chain(3, true);
  plan.steps[1].inputs = {1, 1};
  const std::vector<size_t> none(3, 0);
  const MemoryPlan memory = PlanMemory(plan, none);
  EXPECT_NE(memory.offsets[1], memory.offsets[2]);
}

TEST(MemoryPlan, WhatDependsOnConstantsAloneRunsOnce) {
  Plan plan = Chain(3, false);
  plan.tensors.push_back(plan.tensors[0]);
  plan.tensors.back().constant = std::make_shared<Tensor>(plan.tensors[0].type);
  plan.steps[1].inputs = {4};
  const std::vector<size_t> none(3, 0);
  const MemoryPlan memory = PlanMemory(plan, none);
  EXPECT_THAT(memory.runs_once, testing::ElementsAre(false, true, true));
}

}  // namespace
}  // namespace fettle
