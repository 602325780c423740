#pragma once

#include <optional>

#include "fettle/device/reply.h"
#include "fettle/device/salvage.h"
#include "fettle/device/worker_protocol.h"

namespace fettle {

// Gets a timing for every implementation of a request, although some of them take the worker down.
class LayerSalvage {
 public:
  // `request` outlives it.
  explicit LayerSalvage(const LayerRequest& request);

  // What to ask next, or nothing when there is a timing for each.
  std::optional<LayerRequest> Next() const;

  // The reply to it, and the last progress before. Throws Error (kDevice) where the reply is an
  // answer that does not fit the request; add it again as the crash that it is.
  void Add(const Reply& reply, const std::optional<LayerProgress>& last_progress);

  LayerAnswer TakeAnswer() { return std::move(answer_); }

 private:
  void Adopt(const Salvage::Part& part, LayerAnswer&& answer);

  const LayerRequest& request_;
  Salvage salvage_;
  LayerAnswer answer_;
};

}  // namespace fettle
