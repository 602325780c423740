// Problems with known fronts for multi-objective search, on a grid: ZDT1, ZDT2, ZDT3 (Zitzler, Deb
// & Thiele, Evolutionary Computation 2000), DTLZ2 with three objectives (Deb, Thiele, Laumanns &
// Zitzler, CEC 2002), and a small one that can be enumerated.
#pragma once

#include <cmath>
#include <cstddef>
#include <numbers>
#include <string>
#include <utility>
#include <vector>

#include "fettle/search/design_space.h"
#include "fettle/search/pareto_front.h"
#include "fettle/search/strategy.h"

namespace fettle {

struct TestProblem {
  std::string name;
  DesignSpace space;
  size_t num_objectives;
  Objectives reference;
  Objectives (*evaluate)(const std::vector<double>& x);  // x in [0, 1]

  std::vector<double> Variables(const Candidate& candidate) const {
    std::vector<double> x;
    for (size_t i = 0; i < space.size(); ++i) {
      x.push_back(static_cast<double>(candidate.options[i]) /
                  (space.decisions()[i].num_options - 1));
    }
    return x;
  }
  Objectives Evaluate(const Candidate& candidate) const { return evaluate(Variables(candidate)); }
};

inline DesignSpace GridSpace(int variables, int levels, bool is_ordinal = true) {
  std::vector<Decision> decisions;
  for (int i = 0; i < variables; ++i) {
    decisions.push_back({static_cast<uint64_t>(i), std::to_string(i), levels, is_ordinal});
  }
  return DesignSpace(std::move(decisions));
}

inline double ZdtG(const std::vector<double>& x) {
  double sum = 0;
  for (size_t i = 1; i < x.size(); ++i) sum += x[i];
  return 1 + 9 * sum / static_cast<double>(x.size() - 1);
}

inline Objectives Zdt1(const std::vector<double>& x) {
  const double g = ZdtG(x);
  return {x[0], g * (1 - std::sqrt(x[0] / g))};
}

inline Objectives Zdt2(const std::vector<double>& x) {
  const double g = ZdtG(x);
  return {x[0], g * (1 - (x[0] / g) * (x[0] / g))};
}

inline Objectives Zdt3(const std::vector<double>& x) {
  const double g = ZdtG(x), r = x[0] / g;
  return {x[0], g * (1 - std::sqrt(r) - r * std::sin(10 * std::numbers::pi * x[0]))};
}

inline Objectives Dtlz2(const std::vector<double>& x) {
  double g = 0;
  for (size_t i = 2; i < x.size(); ++i) g += (x[i] - 0.5) * (x[i] - 0.5);
  const double a = x[0] * std::numbers::pi / 2, b = x[1] * std::numbers::pi / 2;
  return {(1 + g) * std::cos(a) * std::cos(b), (1 + g) * std::cos(a) * std::sin(b),
          (1 + g) * std::sin(a)};
}

// The points of the grid on which the distance variables are at their best: the known front and,
// for ZDT3, what it dominates.
inline std::vector<Objectives> KnownFront(const TestProblem& problem, int levels) {
  std::vector<Objectives> front;
  const bool is_dtlz = problem.num_objectives == 3;
  for (int i = 0; i < levels; ++i) {
    for (int j = 0; j < (is_dtlz ? levels : 1); ++j) {
      std::vector<double> x(problem.space.size(), is_dtlz ? 0.5 : 0.0);
      x[0] = static_cast<double>(i) / (levels - 1);
      if (is_dtlz) x[1] = static_cast<double>(j) / (levels - 1);
      front.push_back(problem.evaluate(x));
    }
  }
  return front;
}

// Asks for `batch` at a time and tells each result at once.
inline ParetoFront Search(const TestProblem& problem, Strategy* strategy, size_t evaluations,
                          size_t batch = 16) {
  ParetoFront front(problem.num_objectives);
  for (size_t done = 0; done < evaluations;) {
    const std::vector<Candidate> asked = strategy->Ask(batch);
    if (asked.empty()) break;
    for (const Candidate& candidate : asked) {
      const Objectives objectives = problem.Evaluate(candidate);
      strategy->Tell(candidate, objectives, 0);
      front.Add(objectives, done++);
    }
  }
  return front;
}

}  // namespace fettle
