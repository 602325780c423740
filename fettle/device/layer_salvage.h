#pragma once

#include <cstddef>
#include <deque>
#include <optional>
#include <vector>

#include "fettle/device/reply.h"
#include "fettle/device/worker_protocol.h"

namespace fettle {

// Gets a timing for every implementation of a request, although some of them take the worker down:
// what is still to be asked, and who is to blame for a crash.
//
// An implementation that the worker was preparing when it died is to blame, and the others are
// asked for again. One that died while measuring may have been brought down by any of those in the
// race: then each is asked for alone. Where it died before it came to the first, all are to blame.
class LayerSalvage {
 public:
  // `request` outlives it.
  explicit LayerSalvage(const LayerRequest& request);

  // What to ask next, or nothing when there is a timing for each.
  std::optional<LayerRequest> Next();

  // The reply to it, and the last progress before. Throws Error (kDevice) where the reply is an
  // answer that does not fit the request; add it again as the crash that it is.
  void Add(const Reply& reply, const std::optional<LayerProgress>& last_progress);

  LayerAnswer TakeAnswer() { return std::move(answer_); }

 private:
  using Part = std::vector<size_t>;  // indices into the request's implementations

  void Adopt(const Part& part, LayerAnswer&& answer);
  void Blame(const Part& part, MeasurementStatus status, const std::string& detail);

  const LayerRequest& request_;
  std::deque<Part> parts_;  // the first is what was asked last
  LayerAnswer answer_;
};

}  // namespace fettle
