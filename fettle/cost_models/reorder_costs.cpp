#include "fettle/cost_models/reorder_costs.h"

#include "fettle/core/error.h"
#include "fettle/search/pbqp_problem.h"

namespace fettle {

const ReorderCosts::Best& ReorderCosts::Find(const LayerSpec& spec, Layout from, Layout to) const {
  const auto [entry, is_new] =
      known_.try_emplace(std::tuple(KeyOf(spec), from, to), Best{kForbidden, {}});
  Best& best = entry->second;
  if (!is_new) return best;
  for (const Implementation& option : catalog_->Of(spec)) {
    if (option.inputs.at(0) != from || option.output != to) continue;
    const std::optional<Estimate> cost = costs_.Cost(spec, option);
    if (cost && cost->ms < best.ms) best = {cost->ms, option};
  }
  return best;
}

double ReorderCosts::Ms(const Shape& shape, const TensorForm& from, const TensorForm& to) const {
  if (from == to) return 0;
  const auto [entry, is_new] = ms_.try_emplace(std::tuple(shape, from, to), kForbidden);
  if (is_new && CanHave(shape, from.layout) && CanHave(shape, to.layout)) {
    entry->second =
        Find(ReorderSpec({from.dtype, shape}, {to.dtype, shape}), from.layout, to.layout).ms;
  }
  return entry->second;
}

Implementation ReorderCosts::Choose(const LayerSpec& spec, Layout from, Layout to) const {
  const Best& best = Find(spec, from, to);
  if (best.ms == kForbidden) {
    throw Error(ErrorKind::kDevice, Text("no working way to reorder ", KeyOf(spec).text, " from ",
                                         NameOf(from), " to ", NameOf(to)));
  }
  return best.implementation;
}

}  // namespace fettle
