// How long the PBQP solver takes on graphs shaped like networks: from nothing, after a change of
// one layer, and for the three best assignments. Prints a table; asserts nothing.
//
// Each layer is a node whose options are primitives, each with a layout for its input and one for
// its output; an edge charges the transform between them. A tensor with several readers is a node
// too, whose options are the layouts it may be kept in.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>
#include <vector>

#include "fettle/core/random.h"
#include "fettle/search/pbqp_solver.h"

namespace fettle {
namespace {

constexpr int kLayouts = 12;  // layouts times data types

class NetworkMaker {
 public:
  NetworkMaker(uint64_t seed, int min_options, int max_options, bool arbitrary)
      : random_(seed), min_(min_options), max_(max_options), arbitrary_(arbitrary) {}

  int Layer() { return Node(static_cast<int>(random_.Integer(min_, max_))); }
  int Tensor() { return Node(arbitrary_ ? max_ : kLayouts); }

  int Link(int from, int to) {
    const int rows = problem.num_options(from), cols = problem.num_options(to);
    PbqpMatrix matrix(rows, cols);
    const double size = random_.Uniform(0.2, 1);
    for (int p = 0; p < rows; ++p) {
      for (int q = 0; q < cols; ++q) {
        if (arbitrary_) {
          matrix.At(p, q) = random_.Uniform();
        } else {
          const int a = output_[from][p], b = input_[to][q];
          if (a != b) matrix.At(p, q) = size * (1 + ((a * 7 + b * 3) % 5));
          if (a + b == 2 * kLayouts - 3) matrix.At(p, q) = kForbidden;
        }
      }
    }
    problem.AddEdge(from, to, std::move(matrix));
    return to;
  }

  int Chain(int from, int length) {
    for (int i = 0; i < length; ++i) from = Link(from, Layer());
    return from;
  }

  std::vector<double> Costs(int options) {
    std::vector<double> costs(static_cast<size_t>(options));
    for (double& cost : costs) cost = random_.Uniform(1, 4);
    return costs;
  }

  PbqpProblem problem;

 private:
  int Node(int options) {
    std::vector<int> in, out;
    for (int i = 0; i < options; ++i) {
      in.push_back(static_cast<int>(random_.Below(kLayouts)));
      out.push_back(random_.Chance(0.7) ? in.back() : static_cast<int>(random_.Below(kLayouts)));
    }
    input_.push_back(in);
    output_.push_back(out);
    return problem.AddNode(Costs(options));
  }

  Random random_;
  int min_, max_;
  bool arbitrary_;
  std::vector<std::vector<int>> input_, output_;
};

// Residual blocks and inception modules by turns, with a short chain between them.
PbqpProblem BlockNetwork(int layers, bool arbitrary) {
  NetworkMaker maker(1, 30, 60, arbitrary);
  int last = maker.Chain(maker.Layer(), 3);
  for (int block = 0; maker.problem.num_nodes() < layers; ++block) {
    const int fork = maker.Link(last, maker.Tensor());
    const int join = maker.Layer();
    if (block % 2 == 0) {
      maker.Link(maker.Chain(fork, 3), join);
      maker.Link(fork, join);
    } else {
      for (int branch = 0; branch < 4; ++branch) {
        maker.Link(maker.Chain(fork, 1 + branch % 3), join);
      }
    }
    last = maker.Chain(join, 1);
  }
  return std::move(maker.problem);
}

PbqpProblem ChainNetwork(int layers) {
  NetworkMaker maker(2, 30, 60, true);
  maker.Chain(maker.Layer(), layers - 1);
  return std::move(maker.problem);
}

// Dense blocks: each layer reads the tensors of all layers of its block before it.
PbqpProblem DenseNetwork(int blocks, int layers_a_block) {
  NetworkMaker maker(3, 30, 60, false);
  int last = maker.Layer();
  for (int block = 0; block < blocks; ++block) {
    std::vector<int> tensors = {maker.Link(last, maker.Tensor())};
    for (int i = 0; i < layers_a_block; ++i) {
      const int concat = maker.Tensor();
      for (int tensor : tensors) maker.Link(tensor, concat);
      tensors.push_back(maker.Link(maker.Chain(concat, 2), maker.Tensor()));
    }
    last = maker.Layer();
    for (int tensor : tensors) maker.Link(tensor, last);
  }
  return std::move(maker.problem);
}

template <typename Work>
double Milliseconds(const Work& work) {
  const auto start = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start)
      .count();
}

double Quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

void Report(const char* name, const PbqpProblem& problem, int repeats) {
  std::vector<double> whole, change, top;
  PbqpSolution solution;
  for (int i = 0; i < repeats; ++i) {
    PbqpProblem copy = problem;
    whole.push_back(Milliseconds([&] { solution = SolvePbqp(std::move(copy)); }));
  }
  PbqpSolver solver(problem);
  solver.Solve();
  NetworkMaker costs(4, 1, 1, true);
  for (int i = 0; i < repeats; ++i) {
    for (int node = i % 7; node < problem.num_nodes(); node += 7) {
      std::vector<double> fresh = costs.Costs(problem.num_options(node));
      std::vector<std::pair<int, PbqpMatrix>> edges;
      for (int e = 0; e < problem.num_edges(); ++e) {
        const PbqpEdge& edge = problem.edge(e);
        if (edge.u == node || edge.v == node) edges.emplace_back(e, edge.costs);
      }
      change.push_back(Milliseconds([&] {
        solver.SetNodeCosts(node, std::move(fresh));
        for (auto& [e, matrix] : edges) solver.SetEdgeCosts(e, std::move(matrix));
        solver.Solve();
      }));
    }
    top.push_back(Milliseconds([&] { solver.SolveTop(3); }));
  }
  std::printf("%-24s %5d %5d %5d %9.2f %9.3f %9.3f %9.3f %9.2f  %s, gap %.2g %%\n", name,
              problem.num_nodes(), problem.num_edges(), solution.counts.core_nodes,
              Quantile(whole, 0.5), Quantile(change, 0.5), Quantile(change, 0.95),
              Quantile(change, 1), Quantile(top, 0.5), solution.exact ? "exact" : "not exact",
              100 * (solution.cost - solution.lower_bound) / solution.cost);
}

}  // namespace
}  // namespace fettle

int main() {
  using namespace fettle;
  std::printf("%-24s %5s %5s %5s %9s %9s %9s %9s %9s\n", "milliseconds", "nodes", "edges", "core",
              "whole", "change", "p95", "max", "top 3");
  Report("chain", ChainNetwork(200), 11);
  Report("blocks", BlockNetwork(200, false), 11);
  Report("blocks, arbitrary costs", BlockNetwork(200, true), 11);
  Report("dense, 2 blocks of 4", DenseNetwork(2, 4), 3);
  Report("dense, 4 blocks of 12", DenseNetwork(4, 12), 2);
}
