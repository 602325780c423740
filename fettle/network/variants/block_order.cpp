#include "fettle/network/variants/block_order.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <map>
#include <numeric>
#include <utility>

#include "fettle/core/random.h"

namespace fettle {
namespace {

constexpr int kSeededStarts = 6;
constexpr int kMostRounds = 30;       // of assignments in turns
constexpr int kMostSweeps = 50;       // over all pairs
constexpr double kLeastGain = 1e-12;  // of all energy: less is rounding

// The places of a movable set in the same blocks, by their inputs' and outputs' blocks.
struct PlaceClass {
  std::vector<int64_t> inputs, outputs;  // blocks
  std::vector<size_t> places;
};

class BlockSearch {
 public:
  explicit BlockSearch(const BlockProblem& problem)
      : problem_(problem),
        energy_(problem.energy),
        transposed_(problem.energy.Transposed()),
        blocks_(static_cast<size_t>(problem.blocks)),
        input_blocks_(energy_.columns()),
        output_blocks_(energy_.rows()) {
    assert(energy_.columns() % blocks_ == 0 && energy_.rows() % blocks_ == 0);
    for (const double value : energy_.values()) whole_ += value;
    for (const MovableUnits& set : problem.movable) {
      orders_.emplace_back(set.size());
      std::iota(orders_.back().begin(), orders_.back().end(), 0);
      classes_.push_back(ClassesOf(set));
      class_of_.emplace_back(set.size());
      for (size_t c = 0; c < classes_.back().size(); ++c) {
        for (const size_t place : classes_.back()[c].places) class_of_.back()[place] = c;
      }
    }
    Recompute();
  }

  BlockOrder Run() {
    BlockOrder best = Improved();
    const bool moves_inputs = std::ranges::any_of(
        problem_.movable, [](const MovableUnits& set) { return !set.inputs.front().empty(); });
    if (!moves_inputs) return best;
    const Matrix alike = InputsAlike();
    for (int start = 0; start < kSeededStarts; ++start) {
      StartFromSeeds(alike, Seeds(alike, Random(1).Fork(static_cast<uint64_t>(start))));
      BlockOrder order = Improved();
      if (order.kept > best.kept + kLeastGain * whole_) best = std::move(order);
    }
    return best;
  }

 private:
  size_t InputBlock(int64_t place) const {
    return static_cast<size_t>(place) / (energy_.columns() / blocks_);
  }
  size_t OutputBlock(int64_t place) const {
    return static_cast<size_t>(place) / (energy_.rows() / blocks_);
  }

  std::vector<PlaceClass> ClassesOf(const MovableUnits& set) const {
    std::map<std::pair<std::vector<int64_t>, std::vector<int64_t>>, std::vector<size_t>> found;
    for (size_t place = 0; place < set.size(); ++place) {
      std::vector<int64_t> inputs, outputs;
      for (const int64_t s : set.inputs[place]) {
        inputs.push_back(static_cast<int64_t>(InputBlock(s)));
      }
      for (const int64_t t : set.outputs[place]) {
        outputs.push_back(static_cast<int64_t>(OutputBlock(t)));
      }
      found[{inputs, outputs}].push_back(place);
    }
    std::vector<PlaceClass> classes;
    for (auto& [blocks, places] : found) {
      classes.push_back({blocks.first, blocks.second, std::move(places)});
    }
    return classes;
  }

  // --- Where channels lie, and the energy each shares with each block ---

  void Recompute() {
    for (size_t s = 0; s < input_blocks_.size(); ++s) {
      input_blocks_[s] = InputBlock(static_cast<int64_t>(s));
    }
    for (size_t t = 0; t < output_blocks_.size(); ++t) {
      output_blocks_[t] = OutputBlock(static_cast<int64_t>(t));
    }
    for (size_t m = 0; m < orders_.size(); ++m) {
      for (size_t place = 0; place < orders_[m].size(); ++place) Lie(m, orders_[m][place], place);
    }
    of_inputs_ = Matrix(energy_.columns(), blocks_);
    of_outputs_ = Matrix(energy_.rows(), blocks_);
    kept_ = 0;
    for (size_t t = 0; t < energy_.rows(); ++t) {
      for (size_t s = 0; s < energy_.columns(); ++s) {
        of_inputs_(s, output_blocks_[t]) += energy_(t, s);
        of_outputs_(t, input_blocks_[s]) += energy_(t, s);
        if (input_blocks_[s] == output_blocks_[t]) kept_ += energy_(t, s);
      }
    }
  }

  void Lie(size_t m, int64_t unit, size_t place) {
    const PlaceClass& at = classes_[m][class_of_[m][place]];
    const MovableUnits& set = problem_.movable[m];
    const auto u = static_cast<size_t>(unit);
    for (size_t i = 0; i < at.inputs.size(); ++i) {
      input_blocks_[static_cast<size_t>(set.inputs[u][i])] = static_cast<size_t>(at.inputs[i]);
    }
    for (size_t i = 0; i < at.outputs.size(); ++i) {
      output_blocks_[static_cast<size_t>(set.outputs[u][i])] = static_cast<size_t>(at.outputs[i]);
    }
  }

  // What a unit is worth in a class, by tables of its inputs and outputs with each block.
  double Worth(size_t m, int64_t unit, size_t c, const Matrix* of_inputs,
               const Matrix* of_outputs) const {
    const PlaceClass& at = classes_[m][c];
    const MovableUnits& set = problem_.movable[m];
    const auto u = static_cast<size_t>(unit);
    double worth = 0;
    for (size_t i = 0; of_inputs != nullptr && i < at.inputs.size(); ++i) {
      worth +=
          (*of_inputs)(static_cast<size_t>(set.inputs[u][i]), static_cast<size_t>(at.inputs[i]));
    }
    for (size_t i = 0; of_outputs != nullptr && i < at.outputs.size(); ++i) {
      worth +=
          (*of_outputs)(static_cast<size_t>(set.outputs[u][i]), static_cast<size_t>(at.outputs[i]));
    }
    return worth;
  }

  // --- Assignment ---

  // Units to classes with room, those that would lose most by the second best first.
  std::vector<int64_t> Assigned(size_t m, const Matrix* of_inputs, const Matrix* of_outputs) const {
    const size_t units = orders_[m].size(), classes = classes_[m].size();
    Matrix worth(units, classes);
    std::vector<double> regrets(units);
    for (size_t u = 0; u < units; ++u) {
      double first = -1, second = -1;
      for (size_t c = 0; c < classes; ++c) {
        worth(u, c) = Worth(m, static_cast<int64_t>(u), c, of_inputs, of_outputs);
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
        if (members[c].size() == classes_[m][c].places.size()) continue;
        if (best == classes || worth(u, c) > worth(u, best)) best = c;
      }
      members[best].push_back(static_cast<int64_t>(u));
    }
    std::vector<int64_t> order(units);
    for (size_t c = 0; c < classes; ++c) {
      std::ranges::sort(members[c]);
      for (size_t i = 0; i < members[c].size(); ++i) {
        order[classes_[m][c].places[i]] = members[c][i];
      }
    }
    return order;
  }

  // Of sets that touch either the inputs or the outputs: for others the tables tell half the truth.
  bool AssignInTurn() {
    bool gains = false;
    for (size_t m = 0; m < orders_.size(); ++m) {
      const MovableUnits& set = problem_.movable[m];
      if (!set.inputs.front().empty() && !set.outputs.front().empty()) continue;
      const double before = kept_;
      std::vector<int64_t> old = std::exchange(orders_[m], Assigned(m, &of_inputs_, &of_outputs_));
      Recompute();
      if (kept_ > before + kLeastGain * whole_) {
        gains = true;
      } else {
        orders_[m] = std::move(old);
        Recompute();
      }
    }
    return gains;
  }

  // --- Starts ---

  // Cosines of the energies with which two inputs go to the outputs.
  Matrix InputsAlike() const {
    Matrix alike = TransposedProduct(energy_, energy_);
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
  std::vector<size_t> Seeds(const Matrix& alike, Random random) const {
    const size_t inputs = alike.rows();
    std::vector<size_t> seeds = {static_cast<size_t>(random.Below(inputs))};
    std::vector<double> nearest(inputs, 0);
    while (seeds.size() < blocks_) {
      for (size_t s = 0; s < inputs; ++s) {
        nearest[s] = std::max(nearest[s], alike(s, seeds.back()));
        // A dead input is like none, and no seed.
        if (s == seeds.back() || alike(s, s) == 0) nearest[s] = 2;
      }
      seeds.push_back(static_cast<size_t>(std::ranges::min_element(nearest) - nearest.begin()));
    }
    return seeds;
  }

  void StartFromSeeds(const Matrix& alike, const std::vector<size_t>& seeds) {
    Matrix of_inputs(alike.rows(), blocks_);
    for (size_t s = 0; s < alike.rows(); ++s) {
      for (size_t b = 0; b < blocks_; ++b) of_inputs(s, b) = alike(s, seeds[b]);
    }
    for (size_t m = 0; m < orders_.size(); ++m) {
      if (!problem_.movable[m].inputs.front().empty()) {
        orders_[m] = Assigned(m, &of_inputs, nullptr);
      }
    }
    Recompute();
    for (size_t m = 0; m < orders_.size(); ++m) {
      if (problem_.movable[m].inputs.front().empty()) {
        orders_[m] = Assigned(m, nullptr, &of_outputs_);
      }
    }
    Recompute();
  }

  // --- Swaps ---

  // What is gained when the units at two places change them.
  double Gain(size_t m, size_t p, size_t q) const {
    const size_t at_p = class_of_[m][p], at_q = class_of_[m][q];
    const int64_t u = orders_[m][p], v = orders_[m][q];
    double gain = Worth(m, u, at_q, &of_inputs_, &of_outputs_) -
                  Worth(m, u, at_p, &of_inputs_, &of_outputs_) +
                  Worth(m, v, at_p, &of_inputs_, &of_outputs_) -
                  Worth(m, v, at_q, &of_inputs_, &of_outputs_);
    const MovableUnits& set = problem_.movable[m];
    if (set.inputs.front().empty() || set.outputs.front().empty()) return gain;
    // Where both ends of an energy move, the tables told of each as if the other stayed.
    const size_t units[] = {static_cast<size_t>(u), static_cast<size_t>(v)};
    const size_t from[] = {at_p, at_q}, to[] = {at_q, at_p};
    for (size_t a = 0; a < 2; ++a) {
      for (size_t i = 0; i < set.inputs[units[a]].size(); ++i) {
        const int64_t old_input = classes_[m][from[a]].inputs[i];
        const int64_t new_input = classes_[m][to[a]].inputs[i];
        for (size_t b = 0; b < 2; ++b) {
          for (size_t j = 0; j < set.outputs[units[b]].size(); ++j) {
            const int64_t old_output = classes_[m][from[b]].outputs[j];
            const int64_t new_output = classes_[m][to[b]].outputs[j];
            const int truth = (new_input == new_output) + (old_input == old_output) -
                              (new_input == old_output) - (old_input == new_output);
            gain += truth * energy_(static_cast<size_t>(set.outputs[units[b]][j]),
                                    static_cast<size_t>(set.inputs[units[a]][i]));
          }
        }
      }
    }
    return gain;
  }

  // Tells the tables where a unit's channels go from where they lay.
  void Move(size_t m, int64_t unit, size_t place) {
    const PlaceClass& at = classes_[m][class_of_[m][place]];
    const MovableUnits& set = problem_.movable[m];
    const auto u = static_cast<size_t>(unit);
    for (size_t i = 0; i < at.inputs.size(); ++i) {
      const auto s = static_cast<size_t>(set.inputs[u][i]);
      const size_t from = input_blocks_[s], to = static_cast<size_t>(at.inputs[i]);
      for (size_t t = 0; from != to && t < energy_.rows(); ++t) {
        of_outputs_(t, from) -= transposed_(s, t);
        of_outputs_(t, to) += transposed_(s, t);
      }
    }
    for (size_t i = 0; i < at.outputs.size(); ++i) {
      const auto t = static_cast<size_t>(set.outputs[u][i]);
      const size_t from = output_blocks_[t], to = static_cast<size_t>(at.outputs[i]);
      for (size_t s = 0; from != to && s < energy_.columns(); ++s) {
        of_inputs_(s, from) -= energy_(t, s);
        of_inputs_(s, to) += energy_(t, s);
      }
    }
    Lie(m, unit, place);
  }

  bool SwapPairs() {
    bool gains = false;
    for (size_t m = 0; m < orders_.size(); ++m) {
      for (size_t p = 0; p < orders_[m].size(); ++p) {
        for (size_t q = p + 1; q < orders_[m].size(); ++q) {
          if (class_of_[m][p] == class_of_[m][q]) continue;
          if (Gain(m, p, q) <= kLeastGain * whole_) continue;
          std::swap(orders_[m][p], orders_[m][q]);
          Move(m, orders_[m][p], p);
          Move(m, orders_[m][q], q);
          gains = true;
        }
      }
    }
    return gains;
  }

  BlockOrder Improved() {
    for (int round = 0; round < kMostRounds && AssignInTurn();) ++round;
    for (int sweep = 0; sweep < kMostSweeps && SwapPairs();) ++sweep;
    Recompute();
    return {orders_, kept_};
  }

  const BlockProblem& problem_;
  const Matrix& energy_;
  Matrix transposed_;  // S x T
  size_t blocks_;
  double whole_ = 0;

  std::vector<std::vector<int64_t>> orders_;          // [set][place]: the unit there
  std::vector<std::vector<PlaceClass>> classes_;      // [set]
  std::vector<std::vector<size_t>> class_of_;         // [set][place]
  std::vector<size_t> input_blocks_, output_blocks_;  // of each channel, where it lies now
  Matrix of_inputs_;   // [S, blocks]: of an input with the outputs that lie in a block
  Matrix of_outputs_;  // [T, blocks]
  double kept_ = 0;
};

}  // namespace

BlockOrder FindBlockOrder(const BlockProblem& problem) { return BlockSearch(problem).Run(); }

}  // namespace fettle
