#include "fettle/search/pbqp_plan.h"

#include <algorithm>
#include <cstddef>
#include <functional>
#include <map>
#include <queue>
#include <tuple>
#include <utility>

namespace fettle {
namespace {

class Planner {
 public:
  Planner(int num_nodes, const std::vector<std::pair<int, int>>& links)
      : neighbours_(num_nodes), node_depth_(num_nodes) {
    plan_.node_messages.resize(num_nodes);
    plan_.step_of_node.assign(num_nodes, -1);
    plan_.component_of_node.assign(num_nodes, -1);
    plan_.slot_of_link.assign(links.size(), -1);
    for (size_t i = 0; i < links.size(); ++i) {
      if (links[i].first < 0) continue;
      const int slot = SlotBetween(links[i].first, links[i].second);
      plan_.slots[slot].edges.push_back(static_cast<int>(i));
      plan_.slot_of_link[i] = slot;
    }
  }

  PbqpPlan Run() {
    for (int node = 0; node < static_cast<int>(neighbours_.size()); ++node) Offer(node);
    while (!queue_.empty()) {
      const Key key = queue_.top();
      queue_.pop();
      const int node = std::get<2>(key);
      // Keys grow stale when a node's degree or depth changes; the fresh one was offered then.
      if (plan_.step_of_node[node] < 0 && key == KeyOf(node)) Remove(node);
    }
    CollectCore();
    Orient();
    return std::move(plan_);
  }

 private:
  // Degree at least 2 or not; depth of what the node would be reduced from; node.
  using Key = std::tuple<bool, int, int>;

  Key KeyOf(int node) const {
    int depth = node_depth_[node];
    for (const auto& [other, slot] : neighbours_[node]) {
      depth = std::max(depth, slot_depth_[slot]);
    }
    return {neighbours_[node].size() >= 2, depth, node};
  }

  void Offer(int node) {
    if (neighbours_[node].size() <= 2) queue_.push(KeyOf(node));
  }

  int SlotBetween(int u, int v) {
    const auto [place, is_new] =
        neighbours_[u].try_emplace(v, static_cast<int>(plan_.slots.size()));
    if (is_new) {
      neighbours_[v].emplace(u, place->second);
      plan_.slots.push_back({std::min(u, v), std::max(u, v), {}, {}});
      slot_depth_.push_back(0);
    }
    return place->second;
  }

  void Remove(int node) {
    const int index = static_cast<int>(plan_.steps.size());
    const int depth = std::get<1>(KeyOf(node)) + 1;
    plan_.depth = std::max(plan_.depth, depth);
    plan_.step_of_node[node] = index;
    PbqpPlan::Step step;
    step.node = node;
    for (const auto& [other, slot] : neighbours_[node]) {
      step.neighbours[step.degree] = other;
      step.slots[step.degree] = slot;
      ++step.degree;
      neighbours_[other].erase(node);
    }
    if (step.degree == 1) {
      const size_t target = step.neighbours[0];
      plan_.node_messages[target].push_back(index);
      node_depth_[target] = std::max(node_depth_[target], depth);
    } else if (step.degree == 2) {
      step.target_slot = SlotBetween(step.neighbours[0], step.neighbours[1]);
      plan_.slots[step.target_slot].messages.push_back(index);
      int& slot_depth = slot_depth_[step.target_slot];
      slot_depth = std::max(slot_depth, depth);
    }
    plan_.steps.push_back(step);
    for (int i = 0; i < step.degree; ++i) Offer(step.neighbours[i]);
  }

  void CollectCore() {
    for (int start = 0; start < static_cast<int>(neighbours_.size()); ++start) {
      if (plan_.step_of_node[start] >= 0 || plan_.component_of_node[start] >= 0) {
        continue;
      }
      const int component = static_cast<int>(plan_.core.size());
      PbqpPlan::Component& found = plan_.core.emplace_back();
      found.nodes.push_back(start);
      plan_.component_of_node[start] = component;
      for (size_t next = 0; next < found.nodes.size(); ++next) {
        const int node = found.nodes[next];
        for (const auto& [other, slot] : neighbours_[node]) {
          if (node < other) found.slots.push_back(slot);
          if (plan_.component_of_node[other] >= 0) continue;
          plan_.component_of_node[other] = component;
          found.nodes.push_back(other);
        }
      }
      std::sort(found.nodes.begin(), found.nodes.end());
      std::sort(found.slots.begin(), found.slots.end());
    }
  }

  // Makes each slot's rows the node that goes first, and RII results fit their slot's rows.
  void Orient() {
    plan_.step_of_slot.assign(plan_.slots.size(), -1);
    for (size_t s = 0; s < plan_.steps.size(); ++s) {
      const PbqpPlan::Step& step = plan_.steps[s];
      for (int i = 0; i < step.degree; ++i) {
        PbqpPlan::Slot& slot = plan_.slots[step.slots[i]];
        if (slot.first != step.node) std::swap(slot.first, slot.second);
        plan_.step_of_slot[step.slots[i]] = static_cast<int>(s);
      }
    }
    for (PbqpPlan::Step& step : plan_.steps) {
      if (step.degree == 2 && plan_.slots[step.target_slot].first != step.neighbours[0]) {
        std::swap(step.neighbours[0], step.neighbours[1]);
        std::swap(step.slots[0], step.slots[1]);
      }
    }
  }

  PbqpPlan plan_;
  std::vector<std::map<int, int>> neighbours_;  // of the nodes left: neighbour to slot
  std::vector<int> node_depth_, slot_depth_;    // of the deepest result that landed there
  std::priority_queue<Key, std::vector<Key>, std::greater<>> queue_;
};

}  // namespace

PbqpPlan PlanReductions(int num_nodes, const std::vector<std::pair<int, int>>& links) {
  return Planner(num_nodes, links).Run();
}

}  // namespace fettle
