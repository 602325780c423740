#include "fettle/network/variants/block_layout.h"

#include <cassert>
#include <map>
#include <numeric>

namespace fettle {

BlockLayout::BlockLayout(const BlockProblem& problem)
    : problem_(problem),
      energy_(problem.energy),
      transposed_(problem.energy.Transposed()),
      blocks_(static_cast<size_t>(problem.blocks)),
      input_blocks_(energy_.columns()),
      output_blocks_(energy_.rows()) {
  assert(energy_.columns() % blocks_ == 0 && energy_.rows() % blocks_ == 0);
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

void BlockLayout::SetOrders(std::vector<std::vector<int64_t>> orders) {
  orders_ = std::move(orders);
  Recompute();
}

void BlockLayout::SetOrder(size_t set, std::vector<int64_t> order) {
  orders_[set] = std::move(order);
  Recompute();
}

size_t BlockLayout::InputBlock(int64_t place) const {
  return static_cast<size_t>(place) / (energy_.columns() / blocks_);
}

size_t BlockLayout::OutputBlock(int64_t place) const {
  return static_cast<size_t>(place) / (energy_.rows() / blocks_);
}

std::vector<BlockLayout::PlaceClass> BlockLayout::ClassesOf(const MovableUnits& set) const {
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

void BlockLayout::Recompute() {
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

void BlockLayout::Lie(size_t m, int64_t unit, size_t place) {
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

double BlockLayout::Worth(size_t m, int64_t unit, size_t c, const Matrix* of_inputs,
                          const Matrix* of_outputs) const {
  const PlaceClass& at = classes_[m][c];
  const MovableUnits& set = problem_.movable[m];
  const auto u = static_cast<size_t>(unit);
  double worth = 0;
  for (size_t i = 0; of_inputs != nullptr && i < at.inputs.size(); ++i) {
    worth += (*of_inputs)(static_cast<size_t>(set.inputs[u][i]), static_cast<size_t>(at.inputs[i]));
  }
  for (size_t i = 0; of_outputs != nullptr && i < at.outputs.size(); ++i) {
    worth +=
        (*of_outputs)(static_cast<size_t>(set.outputs[u][i]), static_cast<size_t>(at.outputs[i]));
  }
  return worth;
}

double BlockLayout::Gain(size_t m, size_t p, size_t q) const {
  const size_t at_p = class_of_[m][p], at_q = class_of_[m][q];
  const int64_t u = orders_[m][p], v = orders_[m][q];
  double gain =
      Worth(m, u, at_q, &of_inputs_, &of_outputs_) - Worth(m, u, at_p, &of_inputs_, &of_outputs_) +
      Worth(m, v, at_p, &of_inputs_, &of_outputs_) - Worth(m, v, at_q, &of_inputs_, &of_outputs_);
  const MovableUnits& set = problem_.movable[m];
  if (!set.moves_inputs() || !set.moves_outputs()) return gain;
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

void BlockLayout::Swap(size_t m, size_t p, size_t q) {
  std::swap(orders_[m][p], orders_[m][q]);
  Move(m, orders_[m][p], p);
  Move(m, orders_[m][q], q);
}

// Tells the tables where a unit's channels go from where they lay.
void BlockLayout::Move(size_t m, int64_t unit, size_t place) {
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

}  // namespace fettle
