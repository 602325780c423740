// What every strategy promises.
#include "fettle/search/strategy.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <memory>
#include <set>
#include <string>

#include "fettle/search/strategy_list.h"
#include "tests/search/test_problems.h"

namespace fettle {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

TestProblem SmallProblem() { return {"small", GridSpace(3, 7), 2, {1.1, 10}, Zdt1}; }

class StrategyTest : public ::testing::TestWithParam<std::string_view> {
 protected:
  std::unique_ptr<Strategy> Make(const DesignSpace& space, uint64_t seed,
                                 std::vector<Candidate> initial = {}) {
    return MakeStrategy(GetParam(), space, {seed, 2, std::move(initial)});
  }
};

TEST_P(StrategyTest, IsListedUnderItsName) {
  const DesignSpace space = GridSpace(2, 3);
  EXPECT_EQ(Make(space, 1)->Name(), GetParam());
}

TEST_P(StrategyTest, AsksAboutEveryCandidateOnceAndThenStops) {
  const TestProblem problem = SmallProblem();
  const auto strategy = Make(problem.space, 3);
  std::set<Candidate> asked;
  for (;;) {
    const std::vector<Candidate> batch = strategy->Ask(10);
    for (const Candidate& candidate : batch) {
      ASSERT_TRUE(problem.space.Contains(candidate));
      ASSERT_TRUE(asked.insert(candidate).second) << CandidateText(candidate);
      strategy->Tell(candidate, problem.Evaluate(candidate), 0);
    }
    if (batch.size() < 10) break;
  }
  EXPECT_EQ(asked.size(), 7u * 7 * 7);
  EXPECT_TRUE(strategy->Ask(1).empty());
}

TEST_P(StrategyTest, BeginsWithTheInitialCandidates) {
  const DesignSpace space = GridSpace(4, 5);
  const Candidate original = space.Original(), other{{4, 3, 2, 1}};
  const auto strategy = Make(space, 3, {original, other, original});
  const std::vector<Candidate> asked = strategy->Ask(4);
  ASSERT_EQ(asked.size(), 4u);
  EXPECT_EQ(asked[0], original);
  EXPECT_EQ(asked[1], other);
  EXPECT_NE(asked[2], original) << "not twice";
}

TEST_P(StrategyTest, NeverAsksAboutWhatItWasTold) {
  const TestProblem problem = SmallProblem();
  const auto strategy = Make(problem.space, 4);
  Candidate candidate = problem.space.Original();
  std::set<Candidate> left;
  int index = 0;
  do {
    if (index++ % 10 == 0) {
      left.insert(candidate);
    } else {
      strategy->Tell(candidate, problem.Evaluate(candidate), 0);
    }
  } while (problem.space.Advance(&candidate));
  const std::vector<Candidate> asked = strategy->Ask(1000);
  EXPECT_EQ(std::set<Candidate>(asked.begin(), asked.end()), left);
}

TEST_P(StrategyTest, KeepsTheRulesOfTheSpace) {
  const auto is_even = [](const Candidate& c) { return (c.options[0] + c.options[1]) % 2 == 0; };
  const DesignSpace space(
      {{0, "a", 9, true}, {1, "b", 9, false}},
      {is_even, [](Candidate* c) { c->options[0] += c->options[0] < 8 ? 1 : -1; }});
  const auto strategy = Make(space, 5, {{{0, 1}}, {{8, 1}}});
  std::set<Candidate> asked;
  while (true) {
    const std::vector<Candidate> batch = strategy->Ask(7);
    for (const Candidate& candidate : batch) {
      EXPECT_TRUE(is_even(candidate));
      asked.insert(candidate);
      strategy->Tell(candidate, {1.0 * candidate.options[0], 1.0 * candidate.options[1]}, 0);
    }
    if (batch.size() < 7) break;
  }
  EXPECT_EQ(asked.size(), 41u);
}

TEST_P(StrategyTest, TheSeedDecides) {
  const TestProblem problem = {"zdt1", GridSpace(10, 9), 2, {1, 1}, Zdt1};
  std::vector<std::vector<ParetoPoint>> fronts;
  for (uint64_t seed : {7, 7, 8}) {
    const auto strategy = Make(problem.space, seed);
    fronts.push_back(Search(problem, strategy.get(), 400).points());
  }
  EXPECT_EQ(fronts[0], fronts[1]);
  EXPECT_NE(fronts[0], fronts[2]);
}

// Results come late and out of order, some failed.
void Step(const TestProblem& problem, Strategy* strategy, std::vector<Candidate>* pending,
          std::vector<Candidate>* log) {
  for (Candidate& candidate : strategy->Ask(5)) {
    log->push_back(candidate);
    pending->insert(pending->begin(), std::move(candidate));
  }
  while (pending->size() > 8) {
    const Candidate& candidate = pending->back();
    if (candidate.options[1] == 2) {
      strategy->Tell(candidate, {}, kInfinity);
    } else {
      strategy->Tell(candidate, problem.Evaluate(candidate), candidate.options[2] > 5 ? 0.25 : 0);
    }
    pending->pop_back();
  }
}

TEST_P(StrategyTest, GoesOnIdenticallyAfterSaveAndRestore) {
  const TestProblem problem = {"zdt1", GridSpace(10, 9), 2, {1, 1}, Zdt1};
  const std::vector<Candidate> initial = {problem.space.Original()};
  const auto strategy = Make(problem.space, 9, initial);
  std::vector<Candidate> pending, log;
  for (int round = 0; round < 60; ++round) {
    const std::string state = strategy->Save();
    const auto restored = Make(problem.space, 9, initial);
    ASSERT_TRUE(restored->Restore(state)) << round;
    ASSERT_EQ(restored->Save(), state);
    std::vector<Candidate> pending_copy = pending, log_copy = log;
    for (int i = 0; i < 3; ++i) Step(problem, restored.get(), &pending_copy, &log_copy);
    std::vector<Candidate> pending_again = pending, log_again = log;
    const auto again = Make(problem.space, 9, initial);
    ASSERT_TRUE(again->Restore(state));
    for (int i = 0; i < 3; ++i) Step(problem, again.get(), &pending_again, &log_again);
    ASSERT_EQ(log_copy, log_again);
    // The original, never interrupted, is the judge.
    Step(problem, strategy.get(), &pending, &log);
    ASSERT_TRUE(std::equal(log.begin(), log.end(), log_copy.begin()));
  }
}

TEST_P(StrategyTest, RestoreRefusesDamagedAndForeignStates) {
  const TestProblem problem = {"zdt1", GridSpace(4, 5), 2, {1, 1}, Zdt1};
  const auto strategy = Make(problem.space, 9);
  Search(problem, strategy.get(), 60);
  const std::string state = strategy->Save();
  const auto other = Make(problem.space, 10);
  const std::string before = other->Save();
  for (size_t length = 0; length < state.size(); ++length) {
    ASSERT_FALSE(other->Restore(std::string_view(state).substr(0, length))) << length;
  }
  EXPECT_FALSE(other->Restore(state + "more\n"));
  EXPECT_EQ(other->Save(), before) << "a refused state changes nothing";
  // Any damaged byte: refused, or read as another valid state; never a crash.
  for (size_t at = 0; at < state.size(); ++at) {
    for (char c : {'\n', ' ', '9', '-', 'x'}) {
      std::string damaged = state;
      damaged[at] = c;
      Make(problem.space, 10)->Restore(damaged);
    }
  }
  const DesignSpace larger = GridSpace(4, 6);
  EXPECT_FALSE(Make(larger, 9)->Restore(state));
  for (std::string_view name : StrategyNames()) {
    if (name == GetParam()) continue;
    EXPECT_FALSE(MakeStrategy(name, problem.space, {9, 2, {}})->Restore(state));
  }
}

TEST_P(StrategyTest, CopesWithASpaceOfOneCandidate) {
  for (const DesignSpace& space : {DesignSpace({}), GridSpace(3, 1)}) {
    const auto strategy = Make(space, 1);
    EXPECT_EQ(strategy->Ask(5), (std::vector<Candidate>{space.Original()}));
    strategy->Tell(space.Original(), {1, 1}, 0);
    EXPECT_TRUE(strategy->Ask(5).empty());
    const auto restored = Make(space, 1);
    EXPECT_TRUE(restored->Restore(strategy->Save()));
    EXPECT_TRUE(restored->Ask(5).empty());
  }
}

INSTANTIATE_TEST_SUITE_P(All, StrategyTest, ::testing::ValuesIn(StrategyNames()),
                         [](const auto& param_info) { return std::string(param_info.param); });

TEST(StrategyListTest, UnknownNamesGiveNothing) {
  const DesignSpace space = GridSpace(1, 2);
  EXPECT_EQ(MakeStrategy("annealing", space, {}), nullptr);
  EXPECT_EQ(StrategyNames(), (std::vector<std::string_view>{"nsga2", "random"}));
}

}  // namespace
}  // namespace fettle
