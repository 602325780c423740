#include "fettle/search/pbqp_elimination.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <utility>

namespace fettle {
namespace {

void AddTo(std::vector<double>* sum, const std::vector<double>& part) {
  assert(sum->size() == part.size());
  for (size_t i = 0; i < part.size(); ++i) (*sum)[i] += part[i];
}

}  // namespace

PbqpElimination::PbqpElimination(PbqpProblem problem) : problem_(std::move(problem)) {
  for (int e = 0; e < problem_.num_edges(); ++e) {
    const PbqpMatrix& costs = problem_.edge(e).costs;
    separations_.push_back(Separate(costs, RoundingTolerance(costs)));
  }
}

void PbqpElimination::SetNodeCosts(int node, std::vector<double> costs) {
  problem_.SetNodeCosts(node, std::move(costs));
  if (!plan_is_stale_) node_is_stale_[node] = true;
}

void PbqpElimination::SetEdgeCosts(int edge, PbqpMatrix costs) {
  problem_.SetEdgeCosts(edge, std::move(costs));
  const PbqpMatrix& stored = problem_.edge(edge).costs;
  Separation separation = Separate(stored, RoundingTolerance(stored));
  if (separation.separable != separations_[edge].separable) plan_is_stale_ = true;
  if (!plan_is_stale_) {
    if (separation.separable) {
      node_is_stale_[problem_.edge(edge).u] = true;
      node_is_stale_[problem_.edge(edge).v] = true;
    } else {
      slot_is_stale_[plan_.slot_of_link[edge]] = true;
    }
  }
  separations_[edge] = std::move(separation);
}

void PbqpElimination::MakePlan() {
  std::vector<std::pair<int, int>> links;
  node_separable_edges_.assign(problem_.num_nodes(), {});
  for (int e = 0; e < problem_.num_edges(); ++e) {
    const int u = problem_.edge(e).u, v = problem_.edge(e).v;
    const bool separable = separations_[e].separable;
    links.emplace_back(separable ? -1 : u, v);
    if (!separable) continue;
    node_separable_edges_[u].push_back(e);
    node_separable_edges_[v].push_back(e);
  }
  plan_ = PlanReductions(problem_.num_nodes(), links);
  node_is_stale_.assign(problem_.num_nodes(), true);
  slot_is_stale_.assign(plan_.slots.size(), true);
  node_sum_.assign(problem_.num_nodes(), {});
  slot_sum_.assign(plan_.slots.size(), {});
  results_.assign(plan_.steps.size(), {});
  core_version_.assign(plan_.core.size(), 0);
  plan_is_stale_ = false;
}

void PbqpElimination::Update() {
  assert(problem_.IsConsistent());
  num_recomputed_ = 0;
  if (plan_is_stale_) MakePlan();
  for (int s = 0; s < static_cast<int>(plan_.steps.size()); ++s) {
    const PbqpPlan::Step& step = plan_.steps[s];
    bool is_stale = node_is_stale_[step.node];
    if (is_stale) RefreshNode(step.node);
    for (int i = 0; i < step.degree; ++i) {
      if (!slot_is_stale_[step.slots[i]]) continue;
      RefreshSlot(step.slots[i]);
      is_stale = true;
    }
    if (is_stale && Recompute(s)) MarkUser(s);
  }
  RefreshCore();
}

void PbqpElimination::RefreshNode(int node) {
  std::vector<double>& sum = node_sum_[node];
  sum = problem_.node_costs(node);
  for (int e : node_separable_edges_[node]) {
    const Separation& parts = separations_[e];
    AddTo(&sum, problem_.edge(e).u == node ? parts.row : parts.col);
  }
  for (int step : plan_.node_messages[node]) AddTo(&sum, results_[step].vector);
  node_is_stale_[node] = false;
}

void PbqpElimination::RefreshSlot(int slot_index) {
  slot_is_stale_[slot_index] = false;
  const PbqpPlan::Slot& slot = plan_.slots[slot_index];
  PbqpMatrix& sum = slot_sum_[slot_index];
  const bool has_one_part = slot.edges.size() + slot.messages.size() == 1;
  if (has_one_part && (slot.edges.empty() || problem_.edge(slot.edges[0]).u == slot.first)) return;
  const int rows = problem_.num_options(slot.first), cols = problem_.num_options(slot.second);
  sum = PbqpMatrix(rows, cols);
  for (int e : slot.edges) {
    const PbqpEdge& edge = problem_.edge(e);
    if (edge.u == slot.first) {
      sum.Add(edge.costs);
    } else {
      sum.AddTransposed(edge.costs);
    }
  }
  for (int step : slot.messages) sum.Add(results_[step].matrix);
}

const PbqpMatrix& PbqpElimination::SlotSum(int slot_index) const {
  const PbqpPlan::Slot& slot = plan_.slots[slot_index];
  if (slot.edges.size() + slot.messages.size() == 1) {
    if (slot.edges.empty()) return results_[slot.messages[0]].matrix;
    const PbqpEdge& edge = problem_.edge(slot.edges[0]);
    if (edge.u == slot.first) return edge.costs;
  }
  return slot_sum_[slot_index];
}

bool PbqpElimination::Recompute(int s) {
  ++num_recomputed_;
  const PbqpPlan::Step& step = plan_.steps[s];
  const std::vector<double>& costs = node_sum_[step.node];
  Result& result = results_[s];
  if (step.degree == 2) {
    PbqpMatrix matrix;
    ReduceToMatrix(costs, SlotSum(step.slots[0]), SlotSum(step.slots[1]), &matrix);
    if (matrix == result.matrix) return false;
    result.matrix = std::move(matrix);
    return true;
  }
  std::vector<double> vector;
  if (step.degree == 1) {
    ReduceToVector(costs, SlotSum(step.slots[0]), &vector);
  } else {
    vector = {costs.empty() ? kForbidden : *std::min_element(costs.begin(), costs.end())};
  }
  if (vector == result.vector) return false;
  result.vector = std::move(vector);
  return true;
}

void PbqpElimination::MarkUser(int s) {
  const PbqpPlan::Step& step = plan_.steps[s];
  if (step.degree == 1) node_is_stale_[step.neighbours[0]] = true;
  if (step.degree == 2) slot_is_stale_[step.target_slot] = true;
}

void PbqpElimination::RefreshCore() {
  ++version_;
  for (size_t c = 0; c < plan_.core.size(); ++c) {
    bool is_stale = false;
    for (int node : plan_.core[c].nodes) {
      if (!node_is_stale_[node]) continue;
      RefreshNode(node);
      is_stale = true;
    }
    for (int slot : plan_.core[c].slots) {
      if (!slot_is_stale_[slot]) continue;
      RefreshSlot(slot);
      is_stale = true;
    }
    if (is_stale) core_version_[c] = version_;
  }
}

int PbqpElimination::num_separable_edges() const {
  return static_cast<int>(std::count_if(separations_.begin(), separations_.end(),
                                        [](const Separation& s) { return s.separable; }));
}

double PbqpElimination::ReducedCost() const {
  double cost = 0;
  for (size_t s = 0; s < plan_.steps.size(); ++s) {
    if (plan_.steps[s].degree == 0) cost += results_[s].vector[0];
  }
  return cost;
}

PbqpProblem PbqpElimination::CoreProblem(int component) const {
  const PbqpPlan::Component& core = plan_.core[component];
  PbqpProblem problem;
  for (int node : core.nodes) problem.AddNode(NodeSum(node));
  const auto local = [&core](int node) {
    const auto place = std::lower_bound(core.nodes.begin(), core.nodes.end(), node);
    return static_cast<int>(place - core.nodes.begin());
  };
  for (int s : core.slots) {
    const PbqpPlan::Slot& slot = plan_.slots[s];
    problem.AddEdge(local(slot.first), local(slot.second), SlotSum(s));
  }
  return problem;
}

bool PbqpElimination::Complete(std::vector<int>* choice) const {
  assert(static_cast<int>(choice->size()) == problem_.num_nodes());
  std::vector<DecidedEdge> decided;
  for (auto step = plan_.steps.rbegin(); step != plan_.steps.rend(); ++step) {
    decided.clear();
    for (int i = 0; i < step->degree; ++i) {
      decided.push_back({&SlotSum(step->slots[i]), (*choice)[step->neighbours[i]]});
    }
    const int best = BestOption(NodeSum(step->node), decided);
    if (best < 0) return false;
    (*choice)[step->node] = best;
  }
  return true;
}

}  // namespace fettle
