#include "fettle/cost_models/reorder_costs.h"

#include <cmath>
#include <limits>

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

double ReorderCosts::Price(const Shape& shape, const TensorForm& from, const TensorForm& to) const {
  if (!CanHave(shape, from.layout) || !CanHave(shape, to.layout)) return kForbidden;
  return Find(ReorderSpec({from.dtype, shape}, {to.dtype, shape}), from.layout, to.layout).ms;
}

const ReorderCosts::Table& ReorderCosts::Of(const Shape& shape) const {
  return tables_.try_emplace(shape, *this, shape).first->second;
}

double ReorderCosts::Ms(const Shape& shape, const TensorForm& from, const TensorForm& to) const {
  return Of(shape).Ms(from, to);
}

ReorderCosts::Table::Table(const ReorderCosts& costs, const Shape& shape)
    : costs_(costs), shape_(shape) {
  known_.fill(std::numeric_limits<double>::quiet_NaN());
}

double ReorderCosts::Table::Ms(const TensorForm& from, const TensorForm& to) const {
  if (from == to) return 0;
  const auto has_place = [](const TensorForm& form) {
    return form.dtype == DType::kF32 || form.dtype == DType::kBF16;
  };
  const auto place = [](const TensorForm& form) {
    return (form.dtype == DType::kF32 ? 0 : kForms / 2) + static_cast<size_t>(form.layout);
  };
  if (has_place(from) && has_place(to)) {
    double& ms = known_[place(from) * kForms + place(to)];
    if (std::isnan(ms)) ms = costs_.Price(shape_, from, to);
    return ms;
  }
  const auto [entry, is_new] = others_.try_emplace({from, to}, kForbidden);
  if (is_new) entry->second = costs_.Price(shape_, from, to);
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
