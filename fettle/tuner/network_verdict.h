#pragma once

#include <filesystem>
#include <functional>
#include <vector>

#include "fettle/cost_models/network_costs.h"
#include "fettle/cost_models/primitive_selection.h"
#include "fettle/device/plan_protocol.h"
#include "fettle/runtime/plan.h"
#include "fettle/tuner/fastest_plan.h"
#include "fettle/tuner/plan_folders.h"

namespace fettle {

// Takes the choice of primitives inside the network: the assignments that cost least by the sums of
// layers' and reorders' costs are timed from end to end, in turns, and so are their steps. From
// those is learned what isolated timing misranks (NetworkCosts), the choice is solved again, and
// what comes out anew is timed against the best so far; until nothing new comes, or three rounds.
class NetworkVerdict {
 public:
  struct Options {
    std::chrono::milliseconds budget_each{600};  // of each plan in each round
    int first = 3, further = 2;  // assignments timed in the first round, and in each further one
    int rounds = 3;
  };

  // What the steps of a timed plan took, in its order, for whoever keeps it.
  using Keep = std::function<void(const Plan& plan, const std::vector<StepTiming>& steps)>;

  // Catalog and costs outlive it. Plans that are to be timed are written below `folder`, and
  // removed again. What is learned goes into `costs`.
  NetworkVerdict(ImplementationCatalog* catalog, NetworkCosts* costs, PlansTimer timer,
                 std::filesystem::path folder, Options options)
      : catalog_(catalog),
        costs_(costs),
        timer_(std::move(timer)),
        folder_(std::move(folder)),
        options_(options) {}

  void set_keep(Keep keep) { keep_ = std::move(keep); }
  // Called before each round; it may throw to stop.
  void set_starting(std::function<void(int plans)> starting) { starting_ = std::move(starting); }

  struct Verdict {
    Plan plan;
    int timed = 0;  // assignments
    // The median time of the assignment that was put first at the start over that of this one, in
    // the last round that both were timed in.
    double gain = 1;
  };

  // `precisions` as for SelectTop. Where no assignment can be timed it is the one that costs least.
  // `also` are assignments that take part in the first round as well, as far as they are not known
  // to fail: the default one, which noise in the costs may have ranked too low.
  Verdict Best(const LayerGraph& graph, const std::vector<std::vector<DType>>& precisions,
               const std::vector<std::vector<LayerChoice>>& also = {});

 private:
  struct Entrant {
    Selection selection;
    Plan plan;
    std::string folder;  // of the plan, once it has been timed
    double median_ms = 0;
  };

  std::vector<Entrant> Propose(int count, const LayerGraph& graph,
                               const std::vector<std::vector<DType>>& precisions,
                               const std::vector<std::vector<LayerChoice>>& tried) const;
  void AddGiven(const LayerGraph& graph, const std::vector<std::vector<LayerChoice>>& given,
                std::vector<Entrant>* entrants) const;
  bool Time(PlanFolders* folders, std::vector<Entrant>* entrants);
  void Learn(const Plan& plan, const std::vector<StepTiming>& steps);

  ImplementationCatalog* catalog_;
  NetworkCosts* costs_;
  PlansTimer timer_;
  std::filesystem::path folder_;
  Options options_;
  Keep keep_;
  std::function<void(int plans)> starting_;
};

}  // namespace fettle
