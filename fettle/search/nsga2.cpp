#include "fettle/search/nsga2.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <iterator>
#include <map>
#include <set>
#include <utility>

namespace fettle {
namespace {

constexpr int kBreedingAttempts = 24;
constexpr double kAnywhereChance = 0.2;  // of an ordinal mutation that is not a small step
constexpr double kBetweenChance = 0.3;   // of an ordinal decision that lands between its parents

}  // namespace

Nsga2::Nsga2(const DesignSpace& space, const StrategySettings& settings, Nsga2Settings own)
    : space_(space),
      num_objectives_(settings.num_objectives),
      settings_(own),
      random_(Random(settings.seed).Fork("nsga2")),
      unseen_(space),
      initial_(settings.initial) {
  assert(own.population >= 2 && settings.num_objectives > 0);
}

std::vector<Candidate> Nsga2::Ask(size_t n) {
  std::vector<Candidate> asked;
  while (asked.size() < n) {
    std::optional<Candidate> candidate = AskOne();
    if (!candidate.has_value()) break;
    ++num_asked_;
    asked.push_back(*std::move(candidate));
  }
  return asked;
}

std::optional<Candidate> Nsga2::AskOne() {
  while (num_initial_used_ < initial_.size()) {
    Candidate candidate = initial_[num_initial_used_++];
    if (space_.Repair(&candidate) && unseen_.MarkSeen(candidate)) return candidate;
  }
  // Until the first population is complete there is nothing to select from.
  if (num_asked_ >= settings_.population && parents_.size() >= 2) {
    for (int attempt = 0; attempt < kBreedingAttempts; ++attempt) {
      const int boost = 1 + attempt / 4;
      Candidate child = Breed(settings_.mutations * boost);
      if (space_.Repair(&child) && unseen_.MarkSeen(child)) return child;
    }
  }
  return unseen_.Take(&random_);
}

void Nsga2::Tell(const Candidate& candidate, const Objectives& objectives, double violation) {
  assert(space_.Contains(candidate) && violation >= 0);
  assert(objectives.size() == num_objectives_ || (violation > 0 && objectives.empty()));
  assert(
      std::none_of(objectives.begin(), objectives.end(), [](double x) { return std::isnan(x); }));
  unseen_.MarkSeen(candidate);
  const auto told_before = [&candidate](const Member& m) { return m.candidate == candidate; };
  std::erase_if(parents_, told_before);
  std::erase_if(offspring_, told_before);
  offspring_.push_back({candidate, objectives, violation});
  const bool is_first = parents_.size() < settings_.population;
  if (!is_first && offspring_.size() < settings_.population) return;
  std::move(offspring_.begin(), offspring_.end(), std::back_inserter(parents_));
  offspring_.clear();
  Select();
}

void Nsga2::Select() {
  // The fronts of constrained dominance: those of the objectives among the members without
  // violation, then their doubles, then the others by how much they violate.
  std::vector<Objectives> objectives;
  std::vector<size_t> allowed, doubles;
  std::map<double, std::vector<size_t>> violating;
  std::set<Objectives> seen;
  for (size_t i = parents_.size(); i-- > 0;) {
    if (parents_[i].violation > 0) {
      violating[parents_[i].violation].push_back(i);
    } else if (seen.insert(parents_[i].objectives).second) {
      allowed.push_back(i);
      objectives.push_back(parents_[i].objectives);
    } else {
      doubles.push_back(i);
    }
  }
  std::vector<Member> kept;
  const auto keep = [&](const std::vector<size_t>& front, const std::vector<double>& crowding,
                        size_t rank) {
    std::vector<size_t> order(front.size());
    for (size_t i = 0; i < order.size(); ++i) order[i] = i;
    std::stable_sort(order.begin(), order.end(),
                     [&](size_t a, size_t b) { return crowding[a] > crowding[b]; });
    for (size_t i : order) {
      if (kept.size() == settings_.population) return;
      Member& member = kept.emplace_back(std::move(parents_[front[i]]));
      member.rank = rank;
      member.crowding = crowding[i];
    }
  };
  size_t rank = 0;
  for (const std::vector<size_t>& front : NonDominatedSort(objectives)) {
    std::vector<size_t> members;
    members.reserve(front.size());
    for (size_t i : front) members.push_back(allowed[i]);
    keep(members, CrowdingDistance(objectives, front), rank++);
  }
  keep(doubles, std::vector<double>(doubles.size(), 0), rank++);
  for (const auto& [violation, members] : violating) {
    keep(members, std::vector<double>(members.size(), 0), rank++);
  }
  parents_ = std::move(kept);
}

const Nsga2::Member& Nsga2::Tournament() {
  const Member& a = parents_[static_cast<size_t>(random_.Below(parents_.size()))];
  const Member& b = parents_[static_cast<size_t>(random_.Below(parents_.size()))];
  if (a.rank != b.rank) return a.rank < b.rank ? a : b;
  return a.crowding >= b.crowding ? a : b;
}

Candidate Nsga2::Breed(double mutations) {
  Candidate child = Tournament().candidate;
  const Candidate& other = Tournament().candidate;
  if (random_.Chance(settings_.crossover_chance)) {
    for (size_t i = 0; i < space_.size(); ++i) {
      int& option = child.options[i];
      const int low = std::min(option, other.options[i]);
      const int high = std::max(option, other.options[i]);
      if (space_.decisions()[i].is_ordinal && high - low > 1 && random_.Chance(kBetweenChance)) {
        option = static_cast<int>(random_.Integer(low, high));
      } else if (random_.Chance(0.5)) {
        option = other.options[i];
      }
    }
  }
  Mutate(mutations, &child);
  return child;
}

void Nsga2::Mutate(double mutations, Candidate* child) {
  size_t num_open = 0;  // decisions that leave a choice
  for (const Decision& decision : space_.decisions()) num_open += decision.num_options > 1;
  if (num_open == 0) return;
  const double chance = mutations / static_cast<double>(num_open);
  for (size_t i = 0; i < space_.size(); ++i) {
    if (space_.decisions()[i].num_options < 2 || !random_.Chance(chance)) continue;
    child->options[i] = MutatedOption(i, child->options[i]);
  }
}

int Nsga2::MutatedOption(size_t decision, int option) {
  const int last = space_.decisions()[decision].num_options - 1;
  if (space_.decisions()[decision].is_ordinal && !random_.Chance(kAnywhereChance)) {
    int step = 1;
    while (step < last && random_.Chance(0.5)) ++step;
    const bool up = option == 0 || (option < last && random_.Chance(0.5));
    return up ? std::min(last, option + step) : std::max(0, option - step);
  }
  const int drawn = static_cast<int>(random_.Integer(0, last - 1));
  return drawn < option ? drawn : drawn + 1;  // any but the present one
}

void Nsga2::SaveMembers(std::string_view key, const std::vector<Member>& members,
                        StateWriter* writer) const {
  writer->Add(key, std::to_string(members.size()));
  for (const Member& member : members) {
    writer->Add("candidate", CandidateText(member.candidate));
    std::string result = FormatReal(member.violation);
    result.append(" ").append(std::to_string(member.rank));
    result.append(" ").append(FormatReal(member.crowding));
    for (double x : member.objectives) result.append(" ").append(FormatReal(x));
    writer->Add("result", result);
  }
}

std::optional<std::vector<Nsga2::Member>> Nsga2::RestoreMembers(std::string_view key,
                                                                StateReader* reader) const {
  const std::optional<uint64_t> count = reader->ReadNumber(key);
  if (!count.has_value()) return std::nullopt;
  std::vector<Member> members;
  for (uint64_t i = 0; i < *count; ++i) {
    std::optional<std::string_view> text = reader->Read("candidate");
    if (!text.has_value()) return std::nullopt;
    std::optional<Candidate> candidate = ParseCandidate(*text);
    text = reader->Read("result");
    if (!text.has_value() || !candidate.has_value() || !space_.Contains(*candidate)) {
      return std::nullopt;
    }
    const std::vector<std::string_view> fields = SplitFields(*text);
    if (fields.size() < 3) return std::nullopt;
    const std::optional<double> violation = ParseReal(fields[0]);
    const std::optional<uint64_t> rank = ParseNumber(fields[1]);
    const std::optional<double> crowding = ParseReal(fields[2]);
    if (!violation.has_value() || !(*violation >= 0) || !rank.has_value() ||
        !crowding.has_value() || !(*crowding >= 0)) {
      return std::nullopt;
    }
    Member member{*std::move(candidate), {}, *violation, static_cast<size_t>(*rank), *crowding};
    for (size_t f = 3; f < fields.size(); ++f) {
      const std::optional<double> value = ParseReal(fields[f]);
      if (!value.has_value() || std::isnan(*value)) return std::nullopt;
      member.objectives.push_back(*value);
    }
    const bool has_result = member.objectives.size() == num_objectives_;
    if (!has_result && !(member.objectives.empty() && *violation > 0)) return std::nullopt;
    members.push_back(std::move(member));
  }
  return members;
}

std::string Nsga2::Save() const {
  StateWriter writer;
  writer.Add("nsga2", "1");
  writer.Add("space", std::to_string(space_.Fingerprint()));
  writer.Add("generator", random_.Save());
  writer.Add("initial_used", std::to_string(num_initial_used_));
  writer.Add("asked", std::to_string(num_asked_));
  SaveMembers("parents", parents_, &writer);
  SaveMembers("offspring", offspring_, &writer);
  unseen_.Save(&writer);
  return writer.text();
}

bool Nsga2::Restore(std::string_view state) {
  StateReader reader(state);
  if (reader.Read("nsga2") != "1" || reader.ReadNumber("space") != space_.Fingerprint()) {
    return false;
  }
  const std::optional<Random> random = Random::Restore(reader.Read("generator").value_or(""));
  const std::optional<uint64_t> used = reader.ReadNumber("initial_used");
  const std::optional<uint64_t> asked = reader.ReadNumber("asked");
  std::optional<std::vector<Member>> parents = RestoreMembers("parents", &reader);
  std::optional<std::vector<Member>> offspring = RestoreMembers("offspring", &reader);
  UnseenCandidates unseen(space_);
  if (!random.has_value() || !used.has_value() || *used > initial_.size() || !asked.has_value() ||
      !parents.has_value() || !offspring.has_value() || !unseen.Restore(&reader) ||
      !reader.IsAtEnd()) {
    return false;
  }
  random_ = *random;
  num_initial_used_ = static_cast<size_t>(*used);
  num_asked_ = static_cast<size_t>(*asked);
  parents_ = *std::move(parents);
  offspring_ = *std::move(offspring);
  unseen_ = std::move(unseen);
  return true;
}

}  // namespace fettle
