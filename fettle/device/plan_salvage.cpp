#include "fettle/device/plan_salvage.h"

#include <utility>

#include "fettle/core/error.h"

namespace fettle {

PlanSalvage::PlanSalvage(const PlansRequest& request)
    : request_(request), salvage_(request.folders.size()) {
  answer_.plans.resize(request.folders.size());
}

std::optional<PlansRequest> PlanSalvage::Next() const {
  const Salvage::Part* part = salvage_.Next();
  if (part == nullptr) return std::nullopt;
  PlansRequest next = request_;
  next.folders.clear();
  for (const size_t i : *part) next.folders.push_back(request_.folders[i]);
  return next;
}

void PlanSalvage::Add(const Reply& reply, const std::optional<PlanProgress>& last_progress) {
  if (reply.status == ReplyStatus::kAnswer) {
    PlansAnswer answer = ParsePlansAnswer(reply.body);
    if (answer.plans.size() != salvage_.Next()->size()) {
      throw Error(ErrorKind::kDevice, Text("the worker answered with ", answer.plans.size(),
                                           " plans, not ", salvage_.Next()->size()));
    }
    const Salvage::Part part = salvage_.TakeAnswered();
    for (size_t i = 0; i < part.size(); ++i) answer_.plans[part[i]] = std::move(answer.plans[i]);
    return;
  }
  std::optional<Salvage::Place> place;
  if (last_progress) place = {last_progress->stage, last_progress->plan};
  const Salvage::Blame blame = salvage_.AddFailure(reply, place);
  for (const size_t i : blame.whom) {
    answer_.plans[i].timing.measurement = blame.MeasurementIn(request_.options.mode);
  }
}

}  // namespace fettle
