#include "fettle/device/layer_salvage.h"

#include <algorithm>
#include <utility>

#include "fettle/core/error.h"

namespace fettle {

LayerSalvage::LayerSalvage(const LayerRequest& request)
    : request_(request), salvage_(request.implementations.size()) {
  answer_.timings.resize(request.implementations.size());
}

std::optional<LayerRequest> LayerSalvage::Next() const {
  const Salvage::Part* part = salvage_.Next();
  if (part == nullptr) return std::nullopt;
  LayerRequest next = request_;
  next.implementations.clear();
  for (const size_t i : *part) next.implementations.push_back(request_.implementations[i]);
  return next;
}

void LayerSalvage::Add(const Reply& reply, const std::optional<LayerProgress>& last_progress) {
  if (reply.status == ReplyStatus::kAnswer) {
    LayerAnswer answer = ParseLayerAnswer(reply.body);
    if (answer.timings.size() != salvage_.Next()->size()) {
      throw Error(ErrorKind::kDevice, Text("the worker answered with ", answer.timings.size(),
                                           " timings, not ", salvage_.Next()->size()));
    }
    return Adopt(salvage_.TakeAnswered(), std::move(answer));
  }
  std::optional<Salvage::Place> place;
  if (last_progress) place = {last_progress->stage, last_progress->implementation};
  const Salvage::Blame blame = salvage_.AddFailure(reply, place);
  for (const size_t i : blame.whom) {
    answer_.timings[i].measurement = blame.MeasurementIn(request_.options.mode);
  }
}

void LayerSalvage::Adopt(const Salvage::Part& part, LayerAnswer&& answer) {
  for (size_t i = 0; i < part.size(); ++i) {
    answer_.timings[part[i]] = std::move(answer.timings[i]);
  }
  if (!answer_.resident_bytes) answer_.resident_bytes = answer.resident_bytes;
  answer_.peak_bytes = std::max(answer_.peak_bytes, answer.peak_bytes);
}

}  // namespace fettle
