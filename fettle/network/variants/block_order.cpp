#include "fettle/network/variants/block_order.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "fettle/core/random.h"

namespace fettle {
namespace {

constexpr int kSeededStarts = 12;
// Pairs looked at from all starts together: what the starts and sweeps of large layers are cut to.
constexpr double kMostPairs = 1.5e6;
constexpr int kMostRounds = 30;  // of assignments in turns
constexpr int kMostSweeps = 50;  // over all pairs
constexpr double kSweepsOfAStart = 4;
constexpr double kLeastGain = 1e-12;  // of all energy: less is rounding

// Cosines of the energies with which two inputs go to the outputs.
Matrix InputsAlike(const Matrix& energy) {
  Matrix alike = TransposedProduct(energy, energy);
  std::vector<double> norms(alike.rows());
  for (size_t s = 0; s < norms.size(); ++s) norms[s] = std::sqrt(alike(s, s));
  for (size_t a = 0; a < norms.size(); ++a) {
    for (size_t b = 0; b < norms.size(); ++b) {
      const double norm = norms[a] * norms[b];
      alike(a, b) = norm > 0 ? alike(a, b) / norm : 0;
    }
  }
  return alike;
}

// An input for each block: the first at random, each next one that is least like those before.
std::vector<size_t> Seeds(const Matrix& alike, size_t blocks, Random random) {
  const size_t inputs = alike.rows();
  std::vector<size_t> seeds = {static_cast<size_t>(random.Below(inputs))};
  std::vector<double> nearest(inputs, 0);
  while (seeds.size() < blocks) {
    for (size_t s = 0; s < inputs; ++s) {
      nearest[s] = std::max(nearest[s], alike(s, seeds.back()));
      // A dead input is like none, and no seed.
      if (s == seeds.back() || alike(s, s) == 0) nearest[s] = 2;
    }
    seeds.push_back(static_cast<size_t>(std::ranges::min_element(nearest) - nearest.begin()));
  }
  return seeds;
}

class BlockSearch {
 public:
  explicit BlockSearch(const BlockProblem& problem) : problem_(problem), layout_(problem) {
    for (const double value : problem.energy.values()) least_gain_ += kLeastGain * value;
    double pairs = 1;
    for (const MovableUnits& set : problem.movable) {
      pairs += 0.5 * static_cast<double>(set.size()) * static_cast<double>(set.size());
    }
    // A start is worth some sweeps.
    starts_ = static_cast<int>(std::clamp(kMostPairs / (kSweepsOfAStart * pairs), 1.0,
                                          static_cast<double>(kSeededStarts)));
    sweeps_ = static_cast<int>(
        std::clamp(kMostPairs / ((starts_ + 1) * pairs), 1.0, static_cast<double>(kMostSweeps)));
  }

  BlockOrder Run() {
    BlockOrder best = Improved();
    if (std::ranges::none_of(problem_.movable, &MovableUnits::moves_inputs)) return best;
    const Matrix alike = InputsAlike(problem_.energy);
    const auto blocks = static_cast<size_t>(problem_.blocks);
    for (int start = 0; start < starts_; ++start) {
      StartFrom(alike, Seeds(alike, blocks, Random(1).Fork(static_cast<uint64_t>(start))));
      BlockOrder order = Improved();
      if (order.kept > best.kept + least_gain_) best = std::move(order);
    }
    return best;
  }

 private:
  // Units to classes with room, those that would lose most by the second best first.
  std::vector<int64_t> Assigned(size_t m, const Matrix* of_inputs, const Matrix* of_outputs) const {
    const size_t units = problem_.movable[m].size(), classes = layout_.classes(m).size();
    Matrix worth(units, classes);
    std::vector<double> regrets(units);
    for (size_t u = 0; u < units; ++u) {
      double first = -1, second = -1;
      for (size_t c = 0; c < classes; ++c) {
        worth(u, c) = layout_.Worth(m, static_cast<int64_t>(u), c, of_inputs, of_outputs);
        if (worth(u, c) > first) {
          second = std::exchange(first, worth(u, c));
        } else {
          second = std::max(second, worth(u, c));
        }
      }
      regrets[u] = first - second;
    }
    std::vector<size_t> turn(units);
    std::iota(turn.begin(), turn.end(), 0);
    std::ranges::stable_sort(turn, [&](size_t a, size_t b) { return regrets[a] > regrets[b]; });
    std::vector<std::vector<int64_t>> members(classes);
    for (const size_t u : turn) {
      size_t best = classes;
      for (size_t c = 0; c < classes; ++c) {
        if (members[c].size() == layout_.classes(m)[c].places.size()) continue;
        if (best == classes || worth(u, c) > worth(u, best)) best = c;
      }
      members[best].push_back(static_cast<int64_t>(u));
    }
    std::vector<int64_t> order(units);
    for (size_t c = 0; c < classes; ++c) {
      std::ranges::sort(members[c]);
      for (size_t i = 0; i < members[c].size(); ++i) {
        order[layout_.classes(m)[c].places[i]] = members[c][i];
      }
    }
    return order;
  }

  // Of sets that touch either the inputs or the outputs: for others the tables tell half the truth.
  bool AssignInTurn() {
    bool gains = false;
    for (size_t m = 0; m < problem_.movable.size(); ++m) {
      if (problem_.movable[m].moves_inputs() && problem_.movable[m].moves_outputs()) continue;
      const double before = layout_.kept();
      std::vector<int64_t> old = layout_.orders()[m];
      layout_.SetOrder(m, Assigned(m, &layout_.of_inputs(), &layout_.of_outputs()));
      if (layout_.kept() > before + least_gain_) {
        gains = true;
      } else {
        layout_.SetOrder(m, std::move(old));
      }
    }
    return gains;
  }

  // Inputs to the seeds that they are like, then outputs to the inputs.
  void StartFrom(const Matrix& alike, const std::vector<size_t>& seeds) {
    Matrix of_inputs(alike.rows(), seeds.size());
    for (size_t s = 0; s < alike.rows(); ++s) {
      for (size_t b = 0; b < seeds.size(); ++b) of_inputs(s, b) = alike(s, seeds[b]);
    }
    for (const bool moves_inputs : {true, false}) {
      std::vector<std::vector<int64_t>> orders = layout_.orders();
      for (size_t m = 0; m < orders.size(); ++m) {
        if (problem_.movable[m].moves_inputs() != moves_inputs) continue;
        orders[m] = moves_inputs ? Assigned(m, &of_inputs, nullptr)
                                 : Assigned(m, nullptr, &layout_.of_outputs());
      }
      layout_.SetOrders(std::move(orders));
    }
  }

  bool SwapPairs() {
    bool gains = false;
    for (size_t m = 0; m < problem_.movable.size(); ++m) {
      const size_t places = problem_.movable[m].size();
      for (size_t p = 0; p < places; ++p) {
        for (size_t q = p + 1; q < places; ++q) {
          if (layout_.AreAlike(m, p, q) || layout_.Gain(m, p, q) <= least_gain_) continue;
          layout_.Swap(m, p, q);
          gains = true;
        }
      }
    }
    return gains;
  }

  BlockOrder Improved() {
    for (int round = 0; round < kMostRounds && AssignInTurn();) ++round;
    for (int sweep = 0; sweep < sweeps_ && SwapPairs();) ++sweep;
    layout_.SetOrders(layout_.orders());  // without the rounding of many swaps
    return {layout_.orders(), layout_.kept()};
  }

  const BlockProblem& problem_;
  BlockLayout layout_;
  double least_gain_ = 0;
  int starts_ = 0, sweeps_ = 0;
};

}  // namespace

BlockOrder FindBlockOrder(const BlockProblem& problem) { return BlockSearch(problem).Run(); }

}  // namespace fettle
