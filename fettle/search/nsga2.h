// NSGA-II (Deb, Pratap, Agarwal & Meyarivan, "A Fast and Elitist Multiobjective Genetic Algorithm:
// NSGA-II", IEEE TEVC 2002) over categorical and ordinal decisions.
//
// As published: binary tournaments by rank, then crowding; parents and offspring together are cut
// back to the population, front by front, the last one by crowding; constrained dominance (what
// holds the constraints beats what does not, and of those the smaller violation wins).
//
// Adapted:
//  - crossover is uniform; an ordinal decision may also land between its parents;
//  - mutation changes one decision on average: a categorical one to any other option, an ordinal
//  one
//    by a small step up or down, small steps being the likelier, or sometimes anywhere;
//  - no candidate is asked about twice: a child that was seen is bred again, with more and more
//    mutation, and in the end replaced by an unseen candidate drawn at random;
//  - of members with equal objectives, common where options are few, the newest alone takes its
//    place in the fronts; the others rank after all of them, lest they crowd the population;
//  - results may come in any order and number: a generation is over when as many results as the
//    population has members have come in, whichever they are.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fettle/core/random.h"
#include "fettle/search/state_text.h"
#include "fettle/search/strategy.h"
#include "fettle/search/unseen_candidates.h"

namespace fettle {

struct Nsga2Settings {
  size_t population = 48;  // at least 2 (asserted)
  double crossover_chance = 0.9;
  double mutations = 1;  // expected number of decisions changed in a child
};

class Nsga2 : public Strategy {
 public:
  Nsga2(const DesignSpace& space, const StrategySettings& settings, Nsga2Settings own = {});

  std::string_view Name() const override { return "nsga2"; }
  std::vector<Candidate> Ask(size_t n) override;
  void Tell(const Candidate& candidate, const Objectives& objectives, double violation) override;
  std::string Save() const override;
  bool Restore(std::string_view state) override;

 private:
  struct Member {
    Candidate candidate;
    Objectives objectives;  // maybe empty where there is a violation
    double violation = 0;
    size_t rank = 0;
    double crowding = 0;
  };

  std::optional<Candidate> AskOne();
  Candidate Breed(double mutations);
  const Member& Tournament();
  void Mutate(double mutations, Candidate* child);
  int MutatedOption(size_t decision, int option);
  // Ranks the parents and keeps the best of them.
  void Select();

  void SaveMembers(std::string_view key, const std::vector<Member>& members,
                   StateWriter* writer) const;
  std::optional<std::vector<Member>> RestoreMembers(std::string_view key,
                                                    StateReader* reader) const;

  const DesignSpace& space_;
  size_t num_objectives_;
  Nsga2Settings settings_;
  Random random_;
  UnseenCandidates unseen_;
  std::vector<Candidate> initial_;
  size_t num_initial_used_ = 0;
  size_t num_asked_ = 0;
  std::vector<Member> parents_;
  std::vector<Member> offspring_;  // results of this generation
};

}  // namespace fettle
