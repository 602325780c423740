#include "fettle/search/pbqp_ranking.h"

#include <algorithm>
#include <cassert>
#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <queue>
#include <tuple>
#include <utility>

namespace fettle {
namespace {

// One way to decide a step's node and all below it.
struct Way {
  double cost;
  int option;
  std::vector<size_t> ranks;  // which way each part takes
  size_t last_raised = 0;     // successors raise this part or a later one: each is made once
};

struct Later {
  bool operator()(const Way& a, const Way& b) const {
    return std::tie(a.cost, a.option, a.ranks) > std::tie(b.cost, b.option, b.ranks);
  }
};

struct Context {
  int step;            // or kRoot, or kFirstCore - component
  int a = -1, b = -1;  // the neighbours' options; with kRoot, a is the first of the roots below it
  std::vector<Way> ways;                // found, cheapest first
  std::vector<std::vector<int>> parts;  // of each way found: the contexts of its parts
  std::priority_queue<Way, std::vector<Way>, Later> candidates;
  bool has_successors_due = false;  // those of the last way found
  bool is_exhausted = false;
};

constexpr int kRoot = -1;
constexpr int kFirstCore = -2;  // component c is kFirstCore - c

class Ranker {
 public:
  Ranker(const PbqpElimination& elimination, const std::vector<PbqpRanking>& cores)
      : elimination_(elimination), plan_(elimination.plan()), cores_(cores) {
    for (size_t c = 0; c < cores.size(); ++c) {
      core_problems_.push_back(elimination.CoreProblem(static_cast<int>(c)));
      roots_.push_back(kFirstCore - static_cast<int>(c));
    }
    for (int s = 0; s < static_cast<int>(plan_.steps.size()); ++s) {
      if (plan_.steps[s].degree == 0) roots_.push_back(s);
    }
  }

  std::vector<std::vector<int>> Run(int count) {
    const int root = Open(kRoot, 0, -1);
    std::vector<std::vector<int>> assignments;
    for (size_t rank = 0; rank < static_cast<size_t>(count) && Ensure(root, rank); ++rank) {
      assignments.push_back(Assignment(root, rank));
    }
    return assignments;
  }

 private:
  // The index of a context, made with its candidates when it is met first.
  int Open(int step, int a, int b) {
    const auto [place, is_new] =
        index_.try_emplace({step, a, b}, static_cast<int>(contexts_.size()));
    if (!is_new) return place->second;
    Context& context = contexts_.emplace_back();
    context.step = step;
    context.a = a;
    context.b = b;
    if (step == kRoot) {
      context.candidates.push({0, 0, {}});  // differences are all that matters there
    } else if (step <= kFirstCore) {
      const size_t component = static_cast<size_t>(kFirstCore - step);
      for (size_t i = 0; i < cores_[component].choices.size(); ++i) {
        const double cost = core_problems_[component].Evaluate(cores_[component].choices[i]);
        context.candidates.push({cost, static_cast<int>(i), {}});
      }
    } else {
      const std::vector<double> costs = OptionCosts(plan_.steps[step], a, b);
      for (int k = 0; k < static_cast<int>(costs.size()); ++k) {
        if (costs[k] < kForbidden) context.candidates.push({costs[k], k, {}});
      }
    }
    return place->second;
  }

  // What each option of the step's node costs in a context, with the best ways of all its parts.
  std::vector<double> OptionCosts(const PbqpPlan::Step& step, int a, int b) const {
    std::vector<double> costs = elimination_.NodeSum(step.node);
    const int columns[2] = {a, b};
    for (int i = 0; i < 2 && i < step.degree; ++i) {
      const PbqpMatrix& matrix = elimination_.SlotSum(step.slots[i]);
      for (int k = 0; k < matrix.rows(); ++k) costs[k] += matrix.At(k, columns[i]);
    }
    return costs;
  }

  // The contexts of the steps below that an option of a context leads to.
  std::vector<int> Parts(int step_index, int a, int b, int option) {
    std::vector<int> parts;
    const auto add_node = [&](int node, int choice) {
      for (int s : plan_.node_messages[node]) parts.push_back(Open(s, choice, -1));
    };
    const auto add_slot = [&](int slot, int first, int second) {
      for (int s : plan_.slots[slot].messages) parts.push_back(Open(s, first, second));
    };
    if (step_index == kRoot) {
      if (a < static_cast<int>(roots_.size())) {
        parts = {Open(roots_[a], -1, -1), Open(kRoot, a + 1, -1)};
      }
    } else if (step_index <= kFirstCore) {
      const PbqpPlan::Component& core = plan_.core[kFirstCore - step_index];
      const std::vector<int>& choice = cores_[kFirstCore - step_index].choices[option];
      std::map<int, int> choice_of;
      for (size_t i = 0; i < core.nodes.size(); ++i) choice_of[core.nodes[i]] = choice[i];
      for (int node : core.nodes) add_node(node, choice_of[node]);
      for (int slot : core.slots) {
        add_slot(slot, choice_of[plan_.slots[slot].first], choice_of[plan_.slots[slot].second]);
      }
    } else {
      const PbqpPlan::Step& step = plan_.steps[step_index];
      add_node(step.node, option);
      if (step.degree > 0) add_slot(step.slots[0], option, a);
      if (step.degree > 1) add_slot(step.slots[1], option, b);
    }
    return parts;
  }

  bool IsSettled(int context, size_t rank) const {
    return contexts_[context].ways.size() > rank || contexts_[context].is_exhausted;
  }

  // Finds the ways of a context up to a rank; false where there are not so many. With a stack of
  // its own: chains can be long.
  bool Ensure(int context, size_t rank) {
    std::vector<std::pair<int, size_t>> wanted = {{context, rank}};
    while (!wanted.empty()) {
      const auto [index, up_to] = wanted.back();
      if (IsSettled(index, up_to)) {
        wanted.pop_back();
      } else if (const auto first = MissingPart(index)) {
        wanted.push_back(*first);
      } else {
        Advance(index);
      }
    }
    return contexts_[context].ways.size() > rank;
  }

  // A way of a part that the due successors need and that has not been looked for.
  std::optional<std::pair<int, size_t>> MissingPart(int index) const {
    const Context& context = contexts_[index];
    if (!context.has_successors_due) return std::nullopt;
    const Way& way = context.ways.back();
    const std::vector<int>& parts = context.parts.back();
    for (size_t i = way.last_raised; i < parts.size(); ++i) {
      if (!IsSettled(parts[i], way.ranks[i] + 1)) return std::pair(parts[i], way.ranks[i] + 1);
    }
    return std::nullopt;
  }

  // Offers the due successors, whose parts are known, and takes the cheapest candidate.
  void Advance(int index) {
    Context& context = contexts_[index];
    if (context.has_successors_due) {
      const Way way = context.ways.back();
      const std::vector<int>& parts = context.parts.back();
      for (size_t i = way.last_raised; i < parts.size(); ++i) {
        const std::vector<Way>& part_ways = contexts_[parts[i]].ways;
        if (part_ways.size() <= way.ranks[i] + 1) continue;
        Way next = way;
        next.cost += part_ways[way.ranks[i] + 1].cost - part_ways[way.ranks[i]].cost;
        ++next.ranks[i];
        next.last_raised = i;
        context.candidates.push(std::move(next));
      }
      context.has_successors_due = false;
    }
    if (context.candidates.empty()) {
      context.is_exhausted = true;
      return;
    }
    Way way = context.candidates.top();
    context.candidates.pop();
    std::vector<int> parts = Parts(context.step, context.a, context.b, way.option);
    way.ranks.resize(parts.size(), 0);
    context.ways.push_back(std::move(way));
    context.parts.push_back(std::move(parts));
    context.has_successors_due = true;
  }

  std::vector<int> Assignment(int root, size_t rank) {
    std::vector<int> choice(static_cast<size_t>(elimination_.problem().num_nodes()), -1);
    std::vector<std::pair<int, size_t>> open = {{root, rank}};
    while (!open.empty()) {
      const auto [index, way_rank] = open.back();
      open.pop_back();
      [[maybe_unused]] const bool exists = Ensure(index, way_rank);
      assert(exists);
      const Context& context = contexts_[index];
      const Way& way = context.ways[way_rank];
      if (context.step >= 0) {
        choice[plan_.steps[context.step].node] = way.option;
      } else if (context.step <= kFirstCore) {
        const std::vector<int>& nodes = plan_.core[kFirstCore - context.step].nodes;
        const std::vector<int>& core = cores_[kFirstCore - context.step].choices[way.option];
        for (size_t i = 0; i < nodes.size(); ++i) choice[nodes[i]] = core[i];
      }
      const std::vector<int>& parts = context.parts[way_rank];
      for (size_t i = 0; i < parts.size(); ++i) open.emplace_back(parts[i], way.ranks[i]);
    }
    return choice;
  }

  const PbqpElimination& elimination_;
  const PbqpPlan& plan_;
  const std::vector<PbqpRanking>& cores_;
  std::vector<PbqpProblem> core_problems_;
  std::vector<int> roots_;
  std::deque<Context> contexts_;  // stays in place as it grows
  std::map<std::tuple<int, int, int>, int> index_;
};

}  // namespace

std::vector<std::vector<int>> RankAssignments(const PbqpElimination& elimination,
                                              const std::vector<PbqpRanking>& cores, int count) {
  assert(cores.size() == elimination.plan().core.size());
  return Ranker(elimination, cores).Run(count);
}

}  // namespace fettle
