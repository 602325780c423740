#include "fettle/tuner/turns.h"

#include <vector>

#include "fettle/core/error.h"

namespace fettle {
namespace {

Interval IntervalOf(const std::vector<double>& samples) {
  const auto interval = MedianInterval(samples);
  if (!interval) throw Error(ErrorKind::kDevice, "too few rounds for an interval");
  return *interval;
}

}  // namespace

Turns TakeTurns(int rounds, const std::function<double()>& ours,
                const std::function<double()>& theirs, const std::function<void()>& before_round) {
  std::vector<double> of_ours, of_theirs, ratios;
  for (int round = 0; round < rounds; ++round) {
    if (before_round) before_round();
    const bool we_begin = round % 2 == 0;
    double our = we_begin ? ours() : 0;
    const double their = theirs();
    if (!we_begin) our = ours();
    of_ours.push_back(our);
    of_theirs.push_back(their);
    ratios.push_back(their / our);
  }
  return {IntervalOf(of_ours), IntervalOf(of_theirs), IntervalOf(ratios)};
}

}  // namespace fettle
