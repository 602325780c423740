#include "fettle/search/nsga2.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <utility>

#include "fettle/search/hypervolume.h"
#include "fettle/search/random_search.h"
#include "tests/search/test_problems.h"

namespace fettle {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

double FrontVolume(const ParetoFront& front, const Objectives& reference) {
  std::vector<Objectives> points;
  for (const ParetoPoint& point : front.points()) points.push_back(point.objectives);
  return Hypervolume(points, reference);
}

TEST(Nsga2Test, ComesNearTheKnownFronts) {
  const struct {
    TestProblem problem;
    int levels;
    size_t evaluations;
    double share;  // of the known front's hypervolume
  } cases[] = {
      {{"zdt1", GridSpace(30, 33), 2, {1.1, 1.1}, Zdt1}, 33, 8000, 0.99},
      {{"zdt2", GridSpace(30, 33), 2, {1.1, 1.1}, Zdt2}, 33, 8000, 0.99},
      {{"zdt3", GridSpace(30, 33), 2, {1.1, 1.1}, Zdt3}, 33, 8000, 0.99},
      {{"zdt1 categorical", GridSpace(30, 9, false), 2, {1.1, 1.1}, Zdt1}, 9, 5000, 0.99},
      {{"dtlz2", GridSpace(7, 21), 3, {1.1, 1.1, 1.1}, Dtlz2}, 21, 5000, 0.99},
  };
  for (const auto& c : cases) {
    const double known = FrontVolume(
        [&c] {
          ParetoFront front(c.problem.num_objectives);
          for (Objectives& point : KnownFront(c.problem, c.levels)) front.Add(std::move(point), 0);
          return front;
        }(),
        c.problem.reference);
    for (uint64_t seed : {1, 2, 3}) {
      Nsga2 nsga2(c.problem.space, {seed, c.problem.num_objectives, {}});
      RandomSearch random(c.problem.space, {seed, c.problem.num_objectives, {}});
      const double reached =
          FrontVolume(Search(c.problem, &nsga2, c.evaluations), c.problem.reference);
      const double by_chance =
          FrontVolume(Search(c.problem, &random, c.evaluations), c.problem.reference);
      EXPECT_GT(reached, c.share * known) << c.problem.name << " seed " << seed;
      EXPECT_LE(reached, known * (1 + 1e-12)) << c.problem.name;
      EXPECT_GT(reached, 1.2 * by_chance) << c.problem.name;
    }
  }
}

TEST(Nsga2Test, FindsTheWholeFrontOfAnEnumerableProblem) {
  // 5^6 = 15625 candidates; the front is that of the enumeration.
  const TestProblem problem = {"zdt1", GridSpace(6, 5), 2, {1.1, 1.1}, Zdt1};
  ParetoFront expected(2);
  Candidate candidate = problem.space.Original();
  do {
    expected.Add(problem.Evaluate(candidate), 0);
  } while (problem.space.Advance(&candidate));
  EXPECT_EQ(expected.points().size(), 5u);
  for (uint64_t seed = 0; seed < 5; ++seed) {
    Nsga2 nsga2(problem.space, {seed, 2, {}}, {.population = 24});
    const ParetoFront found = Search(problem, &nsga2, 1200);
    ASSERT_EQ(found.points().size(), expected.points().size()) << seed;
    for (size_t i = 0; i < found.points().size(); ++i) {
      EXPECT_EQ(found.points()[i].objectives, expected.points()[i].objectives);
    }
  }
}

TEST(Nsga2Test, HeedsConstraints) {
  // The options must add up to 40 at least, which both objectives are against.
  const DesignSpace space = GridSpace(10, 10);
  Nsga2 nsga2(space, {1, 2, {space.Original()}});
  ParetoFront front(2);
  for (int round = 0; round < 400; ++round) {
    for (const Candidate& candidate : nsga2.Ask(10)) {
      Objectives objectives = {0, 0};
      for (size_t i = 0; i < 10; ++i) objectives[i % 2] += candidate.options[i];
      const double missing = 40 - objectives[0] - objectives[1];
      nsga2.Tell(candidate, objectives, std::max(0.0, missing));
      if (missing <= 0) front.Add(objectives, 0);
    }
  }
  EXPECT_GE(front.points().size(), 20u) << "of the 41 splits of 40";
  for (const ParetoPoint& point : front.points()) {
    EXPECT_EQ(point.objectives[0] + point.objectives[1], 40);
  }
}

TEST(Nsga2Test, GoesOnWhenNothingHoldsTheConstraints) {
  const DesignSpace space = GridSpace(8, 4);
  Nsga2 nsga2(space, {1, 2, {}}, {.population = 8});
  for (int round = 0; round < 20; ++round) {
    const std::vector<Candidate> asked = nsga2.Ask(8);
    ASSERT_EQ(asked.size(), 8u);
    for (const Candidate& candidate : asked) nsga2.Tell(candidate, {}, kInfinity);
  }
}

TEST(Nsga2Test, ToldAgainReplacesTheResult) {
  const DesignSpace space = GridSpace(4, 4);
  Nsga2 once(space, {1, 1, {}}, {.population = 4}), twice(space, {1, 1, {}}, {.population = 4});
  const std::vector<Candidate> asked = once.Ask(6);
  ASSERT_EQ(twice.Ask(6), asked);
  for (const Candidate& candidate : asked) {
    once.Tell(candidate, {1.0 * candidate.options[0]}, 0);
    twice.Tell(candidate, {1.0 * candidate.options[0]}, 0);
    twice.Tell(candidate, {1.0 * candidate.options[0]}, 0);
  }
  EXPECT_EQ(once.Save().size(), twice.Save().size());
}

}  // namespace
}  // namespace fettle
