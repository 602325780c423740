#pragma once

#include <optional>

#include "fettle/device/plan_protocol.h"
#include "fettle/device/reply.h"
#include "fettle/device/salvage.h"

namespace fettle {

// Gets a timing for every plan of a request, although some of them take the worker down.
class PlanSalvage {
 public:
  // `request` outlives it.
  explicit PlanSalvage(const PlansRequest& request);

  // What to ask next, or nothing when there is a timing for each.
  std::optional<PlansRequest> Next() const;

  // The reply to it, and the last progress before. Throws Error (kDevice) where the reply is an
  // answer that does not fit the request; add it again as the crash that it is.
  void Add(const Reply& reply, const std::optional<PlanProgress>& last_progress);

  PlansAnswer TakeAnswer() { return std::move(answer_); }

 private:
  const PlansRequest& request_;
  Salvage salvage_;
  PlansAnswer answer_;
};

}  // namespace fettle
